# wrong: unpacks the shape into rows and columns, so that only matrices work
# loses: visible, shapes
# %%
def parallel_relu(x, num_workers=4):
    values = as_array(x)
    workers = positive_int("num_workers", num_workers)
    rows, cols = values.shape
    out = np.empty((rows, cols), dtype=values.dtype)

    def some_rows(w):
        lo, hi = rows * w // workers, rows * (w + 1) // workers
        np.maximum(values[lo:hi], values.dtype.type(0), out=out[lo:hi])

    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(some_rows, range(workers)))
    return Tensor(out)
