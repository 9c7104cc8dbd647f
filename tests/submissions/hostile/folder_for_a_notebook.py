# base: garbage
# The handed-in notebook is a folder that holds a folder, five hundred deep.
# class: files
# gains: an exception that ends the batch
# ends: refused
# safe_in_process: no

# %% build deep_folder
