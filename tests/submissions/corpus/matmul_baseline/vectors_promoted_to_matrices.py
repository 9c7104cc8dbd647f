# wrong: 1-D inputs silently become a row and a column
# loses: errors
# %%
def to_matrix(v, column=False):
    v = as_array(v)
    if v.ndim == 1:
        return v[:, None] if column else v[None, :]
    return v

# %%
def matmul_baseline(A, B):
    return Tensor(matmul(to_matrix(A), to_matrix(B, column=True)))
