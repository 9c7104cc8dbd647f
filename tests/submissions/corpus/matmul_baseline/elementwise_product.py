# wrong: multiplies element by element instead of rows with columns
# loses: visible, values
# %%
def matmul_baseline(A, B):
    left, right = matmul_operands(A, B)
    product = left * right
    return Tensor(product)
