# wrong: an assert, so an AssertionError where a ValueError is asked for
# loses: errors
# %%
def vectorized_operations(x, y):
    first, second = as_array(x), as_array(y)
    assert first.shape == second.shape, f"{first.shape} is not {second.shape}"
    return {
        "multiply": Tensor(first * second),
        "add": Tensor(first + second),
        "squared_diff": Tensor((first - second) ** 2),
    }
