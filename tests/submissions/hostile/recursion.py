# base: garbage
# Recursion without a limit, in Python, in C and in the parser.
# class: memory
# gains: a crash that takes the grader along
# ends: graded | timeout
# safe_in_process: no

# %% after setup_checks
import os
import sys

if os.getuid() == 65534:
    sys.setrecursionlimit(10**8)


# %% matmul_baseline
#| export
def matmul_baseline(A, B):
    return matmul_baseline(A, B)


# %% vectorized_relu
#| export
def vectorized_relu(x):
    steps = [value for value in np.ravel(as_array(x))]
    deep = []
    for _ in range(10**6):
        deep = [deep]
    return repr(deep)


# %% quantized_relu
#| export
def quantized_relu(x, scale=1.0):
    return eval("(" * 10**5 + "1" + ")" * 10**5)
