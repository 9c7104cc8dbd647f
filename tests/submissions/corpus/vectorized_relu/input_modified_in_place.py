# wrong: the negative entries of x itself become zero
# loses: dtypes
# %%
def vectorized_relu(x):
    values = as_array(x)
    values[values < 0] = 0
    return Tensor(values)
