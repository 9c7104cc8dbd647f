# base: garbage
# Tags on test cells: skip, raises-exception, ungraded, hide; the whole notebook allows errors.
# class: metadata
# gains: tests that are not run, or whose errors are expected
# ends: graded
# safe_in_process: yes

# %% cell-metadata test_matmul_baseline
{"tags": ["skip-execution", "raises-exception", "ungraded"], "deletable": true}

# %% cell-metadata test_matmul_baseline_hidden_values
{"tags": ["raises-exception"], "nbgrader": null}

# %% cell-metadata test_vectorized_relu
{"tags": ["remove-cell", "skip"], "jupyter": {"source_hidden": true}, "execution": {"timeout": 0}}

# %% cell-metadata setup_checks
{"tags": ["skip-execution", "ungraded"]}

# %% notebook-metadata
{"execution": {"allow_errors": true, "timeout": -1}, "allow_errors": true, "nbgrader": {"points": 100}}
