# wrong: the result gets the shape of A, which is right for square matrices only
# loses: shapes
# %%
def matmul_baseline(A, B):
    a, b = matmul_operands(A, B)
    C = np.zeros(a.shape, dtype=np.result_type(a, b))
    C[:, :] = matmul(a, b)
    return Tensor(C)
