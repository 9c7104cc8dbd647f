# wrong: np.dot takes 1-D inputs too, only the inner dimensions are compared
# loses: errors
# %%
def matmul_baseline(A, B):
    a = as_array(A)
    b = as_array(B)
    if a.shape[-1:] != b.shape[:1]:
        raise ValueError(f"cannot multiply {a.shape} and {b.shape}")
    return Tensor(np.asarray(np.dot(a, b)))
