# wrong: multiplies with a mask, and -inf times 0 is NaN
# loses: values
# %%
def vectorized_relu(x):
    data = as_array(x)
    mask = (data > 0).astype(data.dtype)
    with np.errstate(invalid="ignore"):
        return Tensor(np.asarray(data * mask))
