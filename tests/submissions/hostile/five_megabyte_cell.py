# base: garbage
# A cell of 5 MB: one sum of a million terms, nested and flat.
# class: files
# gains: a compiler that crashes or is slow
# ends: graded | refused | timeout
# safe_in_process: no

# %% build five_megabyte_cell
