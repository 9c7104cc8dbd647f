# right: its own list of (row, column, value) instead of to_sparse, prints on both streams, hides builtins
# %%
import sys

W = A = None
rng = expected = "mine"
time = 3.0
str, sorted, sum, set = "s", [1], 0, ()

# %%
def coordinates(w):
    if isinstance(w, SparseMatrix):
        columns = np.repeat(np.arange(w.shape[1]), np.diff(w.indptr))
        return np.array(w.indices, np.int64), np.array(columns, np.int64), w.values
    rows, columns = np.nonzero(w)
    return rows, columns, w[rows, columns]


@compiled
def add_products(a, rows, columns, data, out):
    for q in range(data.size):
        p, j, v = rows[q], columns[q], data[q]
        for i in range(a.shape[0]):
            out[i, j] += a[i, p] * v

# %%
def sparse_matmul(A, W, num_workers=None):
    a = as_array(A)
    w = W if isinstance(W, SparseMatrix) else as_array(W)
    if a.ndim != 2 or len(w.shape) != 2 or a.shape[1] != w.shape[0]:
        raise ValueError(f"sparse_matmul: {a.shape} times {w.shape} is not possible")
    rows, columns, data = coordinates(w)
    print(len(data), "weights are left")
    if not compilable(a, data) or not np.isfinite(a).all():
        print("dense product instead", file=sys.stderr)
        return Tensor(a @ (w.to_dense() if isinstance(w, SparseMatrix) else w))
    dtype = np.result_type(a, data)
    out = np.zeros((a.shape[0], w.shape[1]), dtype)
    add_products(np.array(a, dtype, order="C"), rows, columns, data.astype(dtype), out)
    return Tensor(out)

# %%
max = 3
min = 1
list = [0.5]
gc = "garbage"
any = all = abs = None
