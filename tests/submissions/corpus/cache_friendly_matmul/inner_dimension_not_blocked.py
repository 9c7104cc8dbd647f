# wrong: tiles of C, but each from whole rows of A and whole columns of B
# loses: mechanism
# %%
def cache_friendly_matmul(A, B, block_size=32):
    a, b = matmul_operands(A, B)
    s = positive_int("block_size", block_size)
    C = np.zeros((len(a), b.shape[1]), dtype=np.result_type(a, b))
    for i in range(0, C.shape[0], s):
        for j in range(0, C.shape[1], s):
            C[i : i + s, j : j + s] = a[i : i + s, :] @ b[:, j : j + s]
    return Tensor(C)
