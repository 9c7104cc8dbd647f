# base: garbage
# The folder holds many thousand files, and names with newlines, dots and slashes in disguise.
# class: files
# gains: paths that lead out of the folder; a grader that is slow
# ends: refused | graded
# safe_in_process: no

# %% build strange_names
