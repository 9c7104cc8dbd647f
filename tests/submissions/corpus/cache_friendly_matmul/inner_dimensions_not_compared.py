# wrong: with inner dimensions that differ, what is left over of A or B is not used or NumPy complains
# loses: errors
# %%
def cache_friendly_matmul(A, B, block_size=32):
    a, b = as_array(A), as_array(B)
    if a.ndim != 2 or b.ndim != 2:
        raise ValueError(f"need two matrices, got {a.shape} and {b.shape}")
    s = positive_int("block_size", block_size)
    m, n = a.shape[0], b.shape[1]
    k = min(a.shape[1], b.shape[0])
    C = np.zeros((m, n), dtype=np.result_type(a, b))
    for i in range(0, m, s):
        for j in range(0, n, s):
            for p in range(0, k, s):
                end = min(p + s, k)
                C[i : i + s, j : j + s] += a[i : i + s, p:end] @ b[p:end, j : j + s]
    return Tensor(C)
