# wrong: both inputs are turned into float32 first, float64 and int64 are lost
# loses: dtypes
# %%
def cache_friendly_matmul(A, B, block_size=32):
    a, b = matmul_operands(A, B)
    a = a.astype(np.float32)
    b = b.astype(np.float32)
    s = positive_int("block_size", block_size)
    C = np.zeros((a.shape[0], b.shape[1]), dtype=np.float32)
    for i in range(0, a.shape[0], s):
        for j in range(0, b.shape[1], s):
            for p in range(0, a.shape[1], s):
                C[i : i + s, j : j + s] += a[i : i + s, p : p + s] @ b[p : p + s, j : j + s]
    return Tensor(C)
