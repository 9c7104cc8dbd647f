# base: reference
# Right, but talkative: thousands of lines printed, warnings, a log on stderr.

# %% matmul_baseline
#| export
import logging
import warnings

logging.basicConfig(level=logging.INFO)
for line in range(20_000):
    print("checking line", line, "of", 20_000)


def matmul_baseline(A, B):
    logging.info("matmul_baseline was called")
    warnings.warn("matmul_baseline is slow for large matrices", stacklevel=2)
    print("A" * 1_000)
    return Tensor(matmul(A, B))


# %% vectorized_relu
#| export
def vectorized_relu(x):
    import sys

    print("vectorized_relu", file=sys.stderr)
    values = as_array(x)
    return Tensor(np.maximum(values, values.dtype.type(0)))
