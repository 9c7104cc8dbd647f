# wrong: the kernel has two loops and takes matrices and vectors, nothing else
# loses: shapes
# %%
@compiled
def relu_2d(x, out):
    rows, columns = x.shape
    for i in range(rows):
        for j in range(columns):
            out[i, j] = 0 if x[i, j] < 0 else x[i, j]

# %%
def compiled_relu(x, num_workers=None):
    values = as_array(x)
    if not compilable(values):
        return Tensor(np.asarray(np.maximum(values, values.dtype.type(0))))
    matrix = np.array(values, order="C")
    if matrix.ndim == 1:
        matrix = matrix[None, :]
    out = np.empty_like(matrix)
    relu_2d(matrix, out)
    return Tensor(out.reshape(values.shape))
