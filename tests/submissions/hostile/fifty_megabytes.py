# base: garbage
# A notebook of 50 MB: one cell of text.
# class: files
# gains: a grader that is slow or out of memory
# ends: refused
# safe_in_process: no

# %% build fifty_megabytes
