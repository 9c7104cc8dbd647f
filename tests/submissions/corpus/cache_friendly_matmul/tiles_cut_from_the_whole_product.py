# wrong: one whole product first, the loops only copy its tiles
# loses: mechanism
# %%
def cache_friendly_matmul(A, B, block_size=32):
    a, b = matmul_operands(A, B)
    s = positive_int("block_size", block_size)
    full = np.matmul(a, b)
    C = np.zeros(full.shape, dtype=full.dtype)
    for i in range(0, full.shape[0], s):
        for j in range(0, full.shape[1], s):
            C[i : i + s, j : j + s] = full[i : i + s, j : j + s]
    return Tensor(C)
