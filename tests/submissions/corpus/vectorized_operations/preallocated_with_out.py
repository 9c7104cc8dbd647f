# right: three arrays made beforehand, ufuncs with out=
# %%
def same_shape(a, b):
    if a.shape == b.shape:
        return a.shape
    raise ValueError(f"no broadcasting here: got {a.shape} and {b.shape}")


def vectorized_operations(x, y):
    a, b = as_array(x), as_array(y)
    shape, dtype = same_shape(a, b), np.result_type(a, b)
    multiply, add, squared_diff = (np.zeros(shape, dtype) for _ in range(3))
    np.multiply(a, b, out=multiply)
    np.add(a, b, out=add)
    if dtype == np.bool_:
        np.not_equal(a, b, out=squared_diff)
    else:
        np.subtract(a, b, out=squared_diff)
        np.multiply(squared_diff, squared_diff, out=squared_diff)
    return {
        "squared_diff": Tensor(squared_diff),
        "add": Tensor(add),
        "multiply": Tensor(multiply),
    }
