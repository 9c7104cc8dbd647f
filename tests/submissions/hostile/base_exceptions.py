# base: garbage
# Answers raise SystemExit, KeyboardInterrupt, GeneratorExit and classes below BaseException.
# class: exceptions
# gains: an exception that passes through every `except Exception` of a test
# ends: graded | timeout
# safe_in_process: yes

# %% after setup_checks
class Faster(BaseException):
    pass


# %% matmul_baseline
#| export
def matmul_baseline(A, B):
    raise SystemExit(0)


# %% vectorized_relu
#| export
def vectorized_relu(x):
    raise KeyboardInterrupt


# %% vectorized_operations
#| export
def vectorized_operations(x, y):
    raise GeneratorExit


# %% cache_friendly_matmul
#| export
def cache_friendly_matmul(A, B, block_size=32):
    raise Faster("through")


# %% parallel_relu
#| export
def parallel_relu(x, num_workers=4):
    raise StopIteration


# %% quantized_relu
#| export
def quantized_relu(x, scale=1.0):
    raise BaseExceptionGroup("many", [Faster(), ValueError("scale")])
