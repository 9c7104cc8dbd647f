# base: garbage
# A cell says exit, quit and sys.exit(0); the tests that follow never run.
# class: exits
# gains: tests that count as passed because nothing was raised
# ends: graded
# safe_in_process: yes

# %% after setup_checks
import sys

exit(0)

# %% before test_vectorized_relu
sys.exit(0)

# %% before test_parallel_relu
get_ipython().ask_exit()
raise SystemExit(0)
