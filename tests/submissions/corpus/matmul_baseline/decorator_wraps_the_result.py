# right: a decorator makes the Tensor
# %%
from functools import wraps


def returns_tensor(fn):
    @wraps(fn)
    def inner(*args, **kwargs):
        return Tensor(fn(*args, **kwargs))

    return inner


@returns_tensor
def matmul_baseline(A, B):
    """Matrix product, see the layers module."""
    return matmul(A, B)
