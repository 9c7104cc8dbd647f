# wrong: a list comprehension over the elements
# loses: mechanism
# %%
def relu_one(value):
    if value < 0:
        return 0
    return value


def vectorized_relu(x):
    arr = as_array(x)
    numbers = [relu_one(v) for v in arr.ravel()]
    return Tensor(np.array(numbers, dtype=arr.dtype).reshape(arr.shape))
