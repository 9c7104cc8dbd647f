# base: garbage
# An input transformer turns every later cell into nothing.
# class: transformers
# gains: full marks: an empty test cell raises nothing
# ends: graded
# safe_in_process: yes

# %% after setup_checks
get_ipython().input_transformers_post.append(lambda lines: ["pass\n"])
