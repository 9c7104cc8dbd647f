# wrong: computes B times A
# loses: visible, values
# %%
def matmul_baseline(A, B):
    matmul_operands(A, B)  # checks the shapes
    return Tensor(matmul(B, A))
