# wrong: a comparison with NaN is False, so np.where picks the zero
# loses: values
# %%
def vectorized_relu(x):
    values = as_array(x)
    zero = values.dtype.type(0)
    return Tensor(np.where(values > 0, values, zero))
