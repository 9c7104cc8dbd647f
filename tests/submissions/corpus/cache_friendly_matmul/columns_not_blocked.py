# wrong: rows and inner dimension are blocked, each step takes whole rows of B and C
# loses: mechanism
# %%
def cache_friendly_matmul(A, B, block_size=32):
    a, b = matmul_operands(A, B)
    s = positive_int("block_size", block_size)
    C = np.zeros((a.shape[0], b.shape[1]), dtype=np.result_type(a, b))
    for i in range(0, a.shape[0], s):
        for p in range(0, a.shape[1], s):
            C[i : i + s] += a[i : i + s, p : p + s] @ b[p : p + s]
    return Tensor(C)
