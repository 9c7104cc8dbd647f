# base: reference
# Everything right, some of it written another way.

# %% matmul_baseline
#| export
def matmul_baseline(A, B):
    product = matmul(A, B)
    return Tensor(product)

# %% vectorized_relu
#| export
def vectorized_relu(x):
    values = as_array(x).copy()
    values[values < 0] = 0
    return Tensor(values)

# %% vectorized_operations
#| export
def vectorized_operations(x, y):
    a, b = as_array(x), as_array(y)
    if a.shape != b.shape:
        raise ValueError(f"shapes differ: {a.shape} and {b.shape}")
    d = a ^ b if a.dtype == b.dtype == bool else a - b
    return dict(multiply=Tensor(a * b), add=Tensor(a + b), squared_diff=Tensor(d * d))

# %% quantized_relu
#| export
def quantized_relu(x, scale=1.0):
    q = quantize(as_array(x), check_scale("scale", scale))
    return Tensor((np.clip(q, 0, 127) * np.float64(scale)).astype(np.float32))

# %% [markdown] answer_intensity
ReLU does one comparison for eight bytes moved, the product about 170 operations per byte. The
first waits for memory, which a second core shares; the second waits for arithmetic, which a
second core brings along.
