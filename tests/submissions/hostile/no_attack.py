# base: garbage
# The wrong answers alone: what every other entry starts from.
# class: none
# gains: nothing
# ends: graded
# safe_in_process: yes

# %% last
"nothing more"
