# right: functools.partial over a helper, with names that shadow what tests might use
# %%
import functools
import numpy as numpy_lib

A = numpy_lib.ones((2, 2))
B = None
x = "x"
rng = 42
expected = check = [1, 2, 3]
str = "not a type any more"
abs = -1

# %%
def wrap_result(kind, A, B):
    return kind(matmul(A, B))


matmul_baseline = functools.partial(wrap_result, Tensor)
