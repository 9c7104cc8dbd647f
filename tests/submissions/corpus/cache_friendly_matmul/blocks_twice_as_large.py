# wrong: takes block_size for the distance from a tile's middle to its edge
# loses: mechanism
# %%
def window(center, half):
    return slice(max(center - half, 0), center + half)


def cache_friendly_matmul(A, B, block_size=32):
    a, b = matmul_operands(A, B)
    half = positive_int("block_size", block_size)
    (m, k), n = a.shape, b.shape[1]
    C = np.zeros((m, n), dtype=np.result_type(a, b))
    for i in range(half, m + half, 2 * half):
        for j in range(half, n + half, 2 * half):
            for p in range(half, k + half, 2 * half):
                I, J, P = window(i, half), window(j, half), window(p, half)
                C[I, J] += a[I, P] @ b[P, J]
    return Tensor(C)
