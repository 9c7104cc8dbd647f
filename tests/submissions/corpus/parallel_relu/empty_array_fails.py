# wrong: no piece of an empty array is left, and np.concatenate needs one
# loses: shapes
# %%
def parallel_relu(x, num_workers=4):
    values = as_array(x)
    workers = positive_int("num_workers", num_workers)
    pieces = [p for p in np.array_split(values.ravel(), workers) if p.size > 0]
    with ThreadPoolExecutor(workers) as pool:
        done = [j.result() for j in [pool.submit(vectorized_relu, p) for p in pieces]]
    return Tensor(np.concatenate([d.data for d in done]).reshape(values.shape))
