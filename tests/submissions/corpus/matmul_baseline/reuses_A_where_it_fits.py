# wrong: to save memory the result is written into A, which is the caller's
# loses: dtypes
# %%
def matmul_baseline(A, B):
    a, b = matmul_operands(A, B)
    product = matmul(a, b)
    if product.shape == a.shape and product.dtype == a.dtype:
        a[...] = product
        return Tensor(a)
    return Tensor(product)
