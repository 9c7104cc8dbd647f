# wrong: the ValueError does not say which shapes came
# loses: errors
# %%
def vectorized_operations(x, y):
    a, b = as_array(x), as_array(y)
    if a.shape != b.shape:
        raise ValueError("x and y must have the same shape")
    diff = a - b
    return {"multiply": Tensor(a * b), "add": Tensor(a + b), "squared_diff": Tensor(diff * diff)}
