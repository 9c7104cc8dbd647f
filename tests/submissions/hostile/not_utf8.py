# base: garbage
# The notebook is in UTF-16, with a mark at its beginning.
# class: files
# gains: an exception that ends the batch
# ends: refused
# safe_in_process: no

# %% build utf16_notebook
