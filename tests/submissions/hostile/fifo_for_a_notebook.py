# base: garbage
# The handed-in notebook is a FIFO that nobody ever writes to.
# class: files
# gains: a grader that waits for ever
# ends: refused
# safe_in_process: no

# %% build fifo_notebook
