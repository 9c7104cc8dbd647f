# right: two threads, each with half of the columns, warns where it cannot skip anything
# %%
import warnings

HALVES = 2

# %%
@compiled
def some_columns(a, indptr, indices, data, out, first, last):
    for j in range(first, last):
        for q in range(indptr[j], indptr[j + 1]):
            v = data[q]
            p = indices[q]
            for i in range(a.shape[0]):
                out[i, j] += a[i, p] * v

# %%
def sparse_matmul(A, W, num_workers=HALVES):
    a, w = sparse_operands(A, W)
    w = to_sparse(w)
    (m, k), n = a.shape, w.shape[1]
    if w.density > 0.9:
        warnings.warn(f"only {1 - w.density:.0%} of W is zero", stacklevel=2)
    dtype = np.result_type(a, w.dtype)
    if not compilable(a, w.values) or np.isnan(a).any() or np.isinf(a).any():
        return Tensor(a @ w.to_dense())
    out = np.zeros((m, n), dtype)
    shared = (np.array(a, dtype, order="C"), w.indptr, w.indices, w.values.astype(dtype), out)
    with ThreadPoolExecutor(HALVES) as pool:
        jobs = [pool.submit(some_columns, *shared, 0, n // 2)]
        jobs.append(pool.submit(some_columns, *shared, n // 2, n))
    [job.result() for job in jobs]
    return Tensor(out)
