# base: reference
# Results of the wrong shape: rows and columns swapped, a batch flattened.

# %% matmul_baseline
#| export
def matmul_baseline(A, B):
    return Tensor(matmul(A, B).T)


# %% parallel_relu
#| export
def parallel_relu(x, num_workers=4):
    values = as_array(x).ravel()
    pieces = np.array_split(values, num_workers)
    with ThreadPoolExecutor(num_workers) as pool:
        return Tensor(np.concatenate(list(pool.map(lambda p: np.maximum(p, 0), pieces))))


# %% quantized_matmul
#| export
def quantized_matmul(A, B, scale_A=1.0, scale_B=1.0):
    a, b = matmul_operands(A, B)
    qa, qb = quantize(a, scale_A), quantize(b, scale_B)
    return Tensor((qa.astype(np.int64) @ qb.astype(np.int64)).ravel().astype(np.float32))
