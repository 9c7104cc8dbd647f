# base: garbage
# The handed-in folder is a link to somewhere else.
# class: files
# gains: other people's files, graded or copied
# ends: refused
# safe_in_process: no

# %% build linked_folder
