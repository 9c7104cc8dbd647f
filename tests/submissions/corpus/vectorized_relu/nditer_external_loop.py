# right: np.nditer hands over whole runs of memory, not elements
# %%
def vectorized_relu(x):
    values = as_array(x)
    out = np.empty(values.shape, dtype=values.dtype)
    iterator = np.nditer(
        [values, out],
        flags=["external_loop", "zerosize_ok"],
        op_flags=[["readonly"], ["writeonly"]],
    )
    with iterator:
        for source, target in iterator:
            np.maximum(source, values.dtype.type(0), out=target)
    return Tensor(out)
