# wrong: one product of the whole matrices, nothing is blocked
# loses: mechanism
# %%
def cache_friendly_matmul(A, B, block_size=32):
    a, b = matmul_operands(A, B)
    positive_int("block_size", block_size)
    # NumPy is already cache friendly
    return Tensor(a @ b)
