# right: the checked operands and the @ operator
# %%
def matmul_baseline(A, B):
    a, b = matmul_operands(A, B)
    return tensor_of(a @ b)
