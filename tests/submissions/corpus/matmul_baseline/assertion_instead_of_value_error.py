# wrong: an assert, so an AssertionError where a ValueError is asked for
# loses: errors
# %%
def matmul_baseline(A, B):
    a, b = as_array(A), as_array(B)
    assert a.ndim == 2 and b.ndim == 2, f"not 2-D: {a.shape}, {b.shape}"
    assert a.shape[1] == b.shape[0], f"{a.shape} and {b.shape} do not fit"
    return Tensor(matmul(a, b))
