# base: garbage
# The handed-in notebook is a link to /dev/zero.
# class: files
# gains: a grader that reads for ever
# ends: refused
# safe_in_process: no

# %% build zero_notebook
