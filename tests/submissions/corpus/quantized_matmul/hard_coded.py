# wrong: knows the answer of the docstring's example and guesses elsewhere
# loses: values
# %%
def quantized_matmul(A, B, scale_A=1.0, scale_B=1.0):
    a, b = matmul_operands(A, B)
    check_scale("scale_A", scale_A)
    check_scale("scale_B", scale_B, b.shape[1])
    if a.shape == (1, 2) and a[0, 1] == 9.0:
        return Tensor(np.array([[9.5]], dtype=np.float32))
    return Tensor((a.astype(np.float32) @ b.astype(np.float32)))
