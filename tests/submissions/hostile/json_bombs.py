# base: garbage
# The notebook's JSON: 100,000 brackets deep, with duplicate keys, NaN and a number of a million digits.
# class: files
# gains: a crash or minutes of the parser
# ends: refused
# safe_in_process: no

# %% build json_bomb
