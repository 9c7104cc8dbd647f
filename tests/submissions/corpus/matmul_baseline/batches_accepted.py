# wrong: a stack of matrices (3-D) is multiplied instead of refused
# loses: errors
# %%
def matmul_baseline(A, B):
    a, b = as_array(A), as_array(B)
    if a.ndim < 2 or b.ndim < 2:
        raise ValueError(f"need matrices, got shapes {a.shape} and {b.shape}")
    if a.shape[-1] != b.shape[-2]:
        raise ValueError(f"inner dimensions differ: {a.shape} and {b.shape}")
    return Tensor(a @ b)
