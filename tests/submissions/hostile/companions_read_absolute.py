# base: garbage
# Files beside the notebook are links, by name, into places of the system.
# class: reading
# gains: whatever the grader copies for it
# ends: refused
# safe_in_process: no

# %% build links_beside
