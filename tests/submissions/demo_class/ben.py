# base: reference
# Three answers nearly right: NaN lost, the last ragged tile skipped, int8 wraps around.

# %% vectorized_relu
#| export
def vectorized_relu(x):
    values = as_array(x)
    return Tensor(np.where(values > 0, values, values.dtype.type(0)))


# %% cache_friendly_matmul
#| export
def cache_friendly_matmul(A, B, block_size=32):
    a, b = matmul_operands(A, B)
    step = positive_int("block_size", block_size)
    (m, k), n = a.shape, b.shape[1]
    C = np.zeros((m, n), dtype=np.result_type(a, b))
    for i in range(0, m - step + 1, step):
        for j in range(0, n - step + 1, step):
            for p in range(0, k - step + 1, step):
                C[i : i + step, j : j + step] += (
                    a[i : i + step, p : p + step] @ b[p : p + step, j : j + step]
                )
    return Tensor(C)


# %% quantized_relu
#| export
def quantized_relu(x, scale=1.0):
    values = as_array(x)
    q = values if values.dtype == np.int8 else np.round(values / scale).astype(np.int64)
    q = q.astype(np.int8)
    return Tensor((np.maximum(q, 0) * np.float32(scale)).astype(np.float32))
