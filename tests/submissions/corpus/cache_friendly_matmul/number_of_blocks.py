# wrong: takes block_size for the number of blocks in each direction
# loses: mechanism
# %%
def cache_friendly_matmul(A, B, block_size=32):
    a, b = matmul_operands(A, B)
    count = positive_int("block_size", block_size)
    m, k = a.shape
    n = b.shape[1]
    result = np.zeros((m, n), dtype=np.result_type(a, b))
    row_step = max(1, -(-m // count))
    col_step = max(1, -(-n // count))
    inner_step = max(1, -(-k // count))
    for i in range(0, m, row_step):
        for j in range(0, n, col_step):
            for p in range(0, k, inner_step):
                left = a[i : i + row_step, p : p + inner_step]
                right = b[p : p + inner_step, j : j + col_step]
                result[i : i + row_step, j : j + col_step] += left @ right
    return Tensor(result)
