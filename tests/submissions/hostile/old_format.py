# base: garbage
# A notebook of nbformat 3, whose worksheets hold the cells.
# class: files
# gains: an upgrade that loses the cells' metadata
# ends: refused | graded
# safe_in_process: no

# %% build nbformat_3
