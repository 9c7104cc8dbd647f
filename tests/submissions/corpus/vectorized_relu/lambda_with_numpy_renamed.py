# right: a lambda over a decorated helper, NumPy imported under another name
# %%
import functools

import numpy as numerics


def on_array(fn):
    @functools.wraps(fn)
    def wrapper(x):
        return Tensor(numerics.asarray(fn(as_array(x))))

    return wrapper

# %%
vectorized_relu = on_array(lambda values: numerics.maximum(values, values.dtype.type(0)))
