# base: garbage
# Test cells are unlocked, ungraded, worth 100, of a schema to come, and solutions.
# class: metadata
# gains: points, or a notebook that the grader gives up on
# ends: graded | refused
# safe_in_process: yes

# %% cell-metadata test_matmul_baseline
{"nbgrader": {"grade": false, "points": 100}}

# %% cell-metadata test_matmul_baseline_hidden_values
{"nbgrader": {"points": 100, "schema_version": 99}}

# %% cell-metadata test_vectorized_relu
{"nbgrader": {"solution": true, "locked": false, "grade": true, "points": 100}}

# %% replace test_vectorized_relu
pass

# %% cell-metadata test_vectorized_operations
{"nbgrader": {"points": -5, "task": true, "grade": false}}

# %% cell-metadata test_parallel_relu
{"nbgrader": {"points": 1e308}}

# %% cell-metadata matmul_baseline
{"nbgrader": {"grade": true, "points": 50}}
