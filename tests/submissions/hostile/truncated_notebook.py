# base: garbage
# The file ends in the middle of a cell.
# class: files
# gains: no grade instead of a bad one
# ends: refused
# safe_in_process: no

# %% build truncated
