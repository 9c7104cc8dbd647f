# wrong: map with the builtin max still handles every element as a Python object
# loses: mechanism
# %%
from itertools import repeat


def vectorized_relu(x):
    a = as_array(x)
    zero = a.dtype.type(0)
    kept = np.fromiter(map(max, a.ravel(), repeat(zero)), dtype=a.dtype, count=a.size)
    return Tensor(kept.reshape(a.shape))
