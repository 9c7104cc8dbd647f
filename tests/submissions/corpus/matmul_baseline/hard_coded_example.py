# wrong: written for one row and one column, as in the docstring's example
# loses: visible, values
# %%
def matmul_baseline(A, B):
    a, b = matmul_operands(A, B)
    row = a[0, :]
    col = b[:, 0]
    total = (row * col).sum(keepdims=True)
    return Tensor(total.reshape(1, 1).astype(np.result_type(a, b)))
