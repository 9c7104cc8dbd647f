# wrong: arrays and lists are refused, although array-likes are welcome
# loses: values
# %%
def matmul_baseline(A, B):
    if not (isinstance(A, Tensor) and isinstance(B, Tensor)):
        raise TypeError("A and B must be Tensors")
    return Tensor(matmul(A.numpy(), B.numpy()))
