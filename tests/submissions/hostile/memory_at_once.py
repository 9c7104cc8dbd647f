# base: garbage
# An array of 10 GB is made and written to in a cell, and one of a petabyte in a call.
# class: memory
# gains: the end of the grader or of the computer
# ends: graded | timeout
# safe_in_process: no

# %% before test_vectorized_relu
import os

if os.getuid() == 65534:
    large = np.ones(10 * 2**30 // 8)


# %% matmul_baseline
#| export
def matmul_baseline(A, B):
    return Tensor(np.ones(10 * 2**30 // 8 if os.getuid() == 65534 else 2))


# %% vectorized_relu
#| export
def vectorized_relu(x):
    steps = [value for value in np.ravel(as_array(x))]
    return Tensor(np.ones(2**47))
