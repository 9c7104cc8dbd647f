# wrong: for empty matrices the result is an empty vector
# loses: shapes
# %%
def matmul_baseline(A, B):
    a, b = matmul_operands(A, B)
    if a.size == 0 or b.size == 0:
        return Tensor(np.array([], dtype=np.result_type(a, b)))
    return Tensor(matmul(a, b))
