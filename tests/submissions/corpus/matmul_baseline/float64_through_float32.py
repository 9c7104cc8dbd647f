# wrong: everything is cast to float32 first, so float64 loses its digits and its dtype
# loses: dtypes
# %%
def matmul_baseline(A, B):
    a, b = matmul_operands(A, B)
    a = a.astype(np.float32)
    b = b.astype(np.float32)
    return Tensor(matmul(a, b))
