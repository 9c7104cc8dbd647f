# base: garbage
# A notebook of nbformat 99, minor -1, with fields that are no lists.
# class: files
# gains: an exception that ends the batch
# ends: refused
# safe_in_process: no

# %% build nbformat_99
