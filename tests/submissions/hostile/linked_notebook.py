# base: garbage
# The handed-in notebook is a link to the instructor's own.
# class: files
# gains: the reference, graded as one's own
# ends: refused
# safe_in_process: no

# %% build linked_notebook
