# right: a dict comprehension over a table of lambdas, defined in an extra cell
# %%
OPERATIONS = {
    "multiply": lambda a, b: a * b,
    "add": lambda a, b: a + b,
    "squared_diff": lambda a, b: subtract(a, b) ** 2 if a.dtype != bool or b.dtype != bool else a ^ b,
}

# %%
def vectorized_operations(x, y):
    a, b = as_array(x), as_array(y)
    if a.shape != b.shape:
        raise ValueError("x is {}, y is {}: not the same shape".format(a.shape, b.shape))
    return {name: Tensor(np.asarray(op(a, b))) for name, op in OPERATIONS.items()}

# %%
def subtract(a, b):
    return np.subtract(a, b)
