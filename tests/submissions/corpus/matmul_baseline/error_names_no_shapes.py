# wrong: the message of the ValueError says nothing about the shapes
# loses: errors
# %%
def matmul_baseline(A, B):
    try:
        return Tensor(matmul(A, B))
    except ValueError:
        raise ValueError("The matrices cannot be multiplied, please check their shapes!") from None
