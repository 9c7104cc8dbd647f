# wrong: only the inner dimension is blocked, each step adds to all of C
# loses: mechanism
# %%
def cache_friendly_matmul(A, B, block_size=32):
    a, b = matmul_operands(A, B)
    s = positive_int("block_size", block_size)
    C = np.zeros((a.shape[0], b.shape[1]), np.result_type(a, b))
    for p in range(0, a.shape[1], s):
        C += a[:, p : p + s] @ b[p : p + s, :]
    return Tensor(C)
