# wrong: blocked over the rows of A only, each step reads all of B
# loses: mechanism
# %%
def cache_friendly_matmul(A, B, block_size=32):
    a, b = matmul_operands(A, B)
    block = positive_int("block_size", block_size)
    result = np.zeros((a.shape[0], b.shape[1]), dtype=np.result_type(a, b))
    for start in range(0, a.shape[0], block):
        end = start + block
        result[start:end] = a[start:end] @ b
    return Tensor(result)
