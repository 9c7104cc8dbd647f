# wrong: NaN is replaced by 0 and infinity by a large number
# loses: values
# %%
def vectorized_relu(x):
    v = as_array(x)
    activated = np.maximum(v, v.dtype.type(0))
    return Tensor(np.nan_to_num(activated))
