# wrong: also cut off above, at 6
# loses: values
# %%
def vectorized_relu(x):
    v = as_array(x)
    lower, upper = v.dtype.type(0), v.dtype.type(6)
    return Tensor(np.asarray(np.clip(v, lower, upper)))
