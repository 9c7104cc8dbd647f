# base: garbage
# Results without an end: ranges, generators, lists that hold themselves, iterators, huge texts.
# class: frames
# gains: a judge that goes through them for ever
# ends: graded | timeout
# safe_in_process: yes

# %% after setup_checks
import itertools

itself = []
itself.append(itself)


# %% matmul_baseline
#| export
def matmul_baseline(A, B):
    return range(10**18)


# %% vectorized_relu
#| export
def vectorized_relu(x):
    steps = [value for value in np.ravel(as_array(x))]
    return itertools.count()


# %% vectorized_operations
#| export
def vectorized_operations(x, y):
    steps = [value for value in np.ravel(as_array(x))]
    return {"multiply": itself, "add": itself, "squared_diff": itself}


# %% parallel_batch_processing
#| export
def parallel_batch_processing(batch_data, operation, num_workers=4, executor=None):
    return range(10**18)


# %% quantized_relu
#| export
def quantized_relu(x, scale=1.0):
    return "x" * 50_000_000


# %% compiled_relu
#| export
def compiled_relu(x):
    steps = [value for value in np.ravel(as_array(x))]
    return 7 ** (10**6)
