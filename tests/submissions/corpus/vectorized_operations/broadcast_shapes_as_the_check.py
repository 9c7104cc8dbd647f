# wrong: the check is whether the shapes can be broadcast, not whether they are equal
# loses: errors
# %%
def vectorized_operations(x, y):
    a, b = as_array(x), as_array(y)
    try:
        np.broadcast_shapes(a.shape, b.shape)
    except ValueError:
        raise ValueError(f"shapes {a.shape} and {b.shape} are not compatible") from None
    return {
        "multiply": Tensor(np.multiply(a, b)),
        "add": Tensor(np.add(a, b)),
        "squared_diff": Tensor(np.square(np.subtract(a, b))),
    }
