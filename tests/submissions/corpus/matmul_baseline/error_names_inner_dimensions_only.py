# wrong: the message has the inner dimensions, not the shapes as tuples
# loses: errors
# %%
def matmul_baseline(A, B):
    a, b = as_array(A), as_array(B)
    if a.ndim != 2 or b.ndim != 2:
        raise ValueError(f"expected 2-D inputs, got {a.shape} and {b.shape}")
    if a.shape[1] != b.shape[0]:
        raise ValueError(f"{a.shape[1]} columns do not fit {b.shape[0]} rows")
    return Tensor(matmul(a, b))
