# wrong: always blocks of 32, whatever is asked for
# loses: mechanism
# %%
BLOCK = 32


def cache_friendly_matmul(A, B, block_size=32):
    a, b = matmul_operands(A, B)
    positive_int("block_size", block_size)
    m, k, n = a.shape[0], a.shape[1], b.shape[1]
    C = np.zeros((m, n), dtype=np.result_type(a, b))
    for i in range(0, m, BLOCK):
        for j in range(0, n, BLOCK):
            for p in range(0, k, BLOCK):
                C[i : i + BLOCK, j : j + BLOCK] += (
                    a[i : i + BLOCK, p : p + BLOCK] @ b[p : p + BLOCK, j : j + BLOCK]
                )
    return Tensor(C)
