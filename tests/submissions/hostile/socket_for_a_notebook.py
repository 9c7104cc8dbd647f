# base: garbage
# The handed-in notebook is a socket.
# class: files
# gains: an exception that ends the batch
# ends: refused
# safe_in_process: no

# %% build socket_notebook
