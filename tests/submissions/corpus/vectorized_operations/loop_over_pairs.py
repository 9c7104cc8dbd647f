# wrong: a Python loop over the pairs of elements
# loses: mechanism
# %%
def vectorized_operations(x, y):
    a, b = as_array(x), as_array(y)
    if a.shape != b.shape:
        raise ValueError(f"shapes differ: {a.shape} and {b.shape}")
    kind = np.result_type(a, b)
    multiply, add, squared = [], [], []
    for p, q in zip(a.astype(kind).ravel(), b.astype(kind).ravel()):
        multiply.append(p * q)
        add.append(p + q)
        squared.append((p - q) ** 2)
    pack = lambda numbers: Tensor(np.array(numbers, dtype=kind).reshape(a.shape))
    return {"multiply": pack(multiply), "add": pack(add), "squared_diff": pack(squared)}
