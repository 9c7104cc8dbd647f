# base: garbage
# Tests and setup are deleted; of some a copy that does nothing is left, before and behind.
# class: metadata
# gains: tests that do not run are not lost, if the grader counts what it finds
# ends: graded
# safe_in_process: yes

# %% copy test_matmul_baseline
pass

# %% delete test_matmul_baseline_hidden_values

# %% delete test_matmul_baseline_hidden_errors

# %% copy test_vectorized_relu_hidden_mechanism
2

# %% delete setup_expert_checks

# %% delete question_intensity
