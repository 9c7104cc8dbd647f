# wrong: the result is the ndarray of matmul, not a Tensor
# loses: visible
# %%
def matmul_baseline(A, B):
    return matmul(A, B)
