# wrong: np.array(..., dtype=float) turns everything into float64
# loses: visible, dtypes
# %%
def matmul_baseline(A, B):
    checked_A, checked_B = matmul_operands(A, B)
    left = np.array(checked_A, dtype=float)
    right = np.array(checked_B, dtype=float)
    return Tensor(matmul(left, right))
