# wrong: the result is transposed
# loses: visible, values
# %%
def matmul_baseline(A, B):
    a, b = matmul_operands(A, B)
    # (A B)^T = B^T A^T
    return Tensor(matmul(b.T, a.T))
