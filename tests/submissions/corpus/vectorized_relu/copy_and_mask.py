# right: a copy and a boolean mask, helper defined after its use, prints
# %%
def vectorized_relu(x):
    print("relu of", type(x).__name__)
    result = copied(x)
    negative = result < 0
    result[negative] = 0
    return Tensor(result)


def copied(x):
    return np.array(as_array(x), copy=True)
