# wrong: the dtype is right, but the product was rounded to float32 in between
# loses: dtypes
# %%
def matmul_baseline(A, B):
    a, b = matmul_operands(A, B)
    wanted = np.result_type(a, b)
    product = matmul(a.astype(np.float32), b.astype(np.float32))
    return Tensor(product.astype(wanted))
