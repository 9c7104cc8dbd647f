# base: garbage
# A notebook of 50,000 cells, each of one line.
# class: files
# gains: a grader that is slow
# ends: refused | timeout | graded
# safe_in_process: no

# %% build fifty_thousand_cells
