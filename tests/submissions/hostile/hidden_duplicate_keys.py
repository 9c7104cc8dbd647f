# base: garbage
# Each key of the test cells stands twice in the JSON: what a first reader checks, a second overrides.
# class: files
# gains: two programs that see two notebooks
# ends: graded | refused
# safe_in_process: no

# %% build duplicate_keys
