# wrong: matrices that do not fit are refused without saying which shapes came
# loses: errors
# %%
def cache_friendly_matmul(A, B, block_size=32):
    a, b = as_array(A), as_array(B)
    if a.ndim != 2 or b.ndim != 2:
        raise ValueError("A and B must be matrices")
    if a.shape[1] != b.shape[0]:
        raise ValueError("inner dimensions do not match")
    s = positive_int("block_size", block_size)
    m, n, k = a.shape[0], b.shape[1], a.shape[1]
    C = np.zeros((m, n), dtype=np.result_type(a, b))
    for i in range(0, m, s):
        for j in range(0, n, s):
            for p in range(0, k, s):
                C[i : i + s, j : j + s] += a[i : i + s, p : p + s] @ b[p : p + s, j : j + s]
    return Tensor(C)
