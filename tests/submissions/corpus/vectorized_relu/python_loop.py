# wrong: a Python loop over the elements
# loses: mechanism
# %%
def vectorized_relu(x):
    values = as_array(x)
    result = np.array(values)
    flat = result.reshape(-1)
    for i in range(flat.size):
        if flat[i] < 0:
            flat[i] = 0
    return Tensor(flat.reshape(values.shape))
