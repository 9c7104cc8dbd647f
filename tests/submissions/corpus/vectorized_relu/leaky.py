# wrong: negative entries keep a hundredth of their value
# loses: visible, values
# %%
def vectorized_relu(x):
    v = as_array(x)
    slope = 0.01
    out = np.where(v < 0, slope * v, v).astype(v.dtype)
    return Tensor(out)
