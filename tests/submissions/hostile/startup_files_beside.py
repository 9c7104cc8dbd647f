# base: garbage
# Files that Python, IPython, Jupyter, nbgrader, matplotlib and pytest read at their start.
# class: imports
# gains: code that runs before the lesson, or in the grader itself
# ends: graded | refused
# safe_in_process: yes

# %% file sitecustomize.py
import os
print("LOOT sitecustomize ran in", os.getpid())

# %% file usercustomize.py
print("LOOT usercustomize ran")

# %% file lesson.pth
import os; os.environ["LOOT"] = "pth"

# %% file ipython_config.py
c = get_config()
c.InteractiveShellApp.exec_lines = ["print('LOOT ipython_config ran')"]

# %% file .ipython/profile_default/startup/00.py
print("LOOT startup ran")

# %% file nbgrader_config.py
c = get_config()
c.IsolatedExecute.enabled = False

# %% file jupyter_config.py
c = get_config()
c.ClearSolutions.enforce_metadata = False

# %% file matplotlibrc
backend: module://sitecustomize

# %% file conftest.py
print("LOOT conftest ran")
