# wrong: the pieces are joined, but the shape is lost
# loses: shapes
# %%
def parallel_relu(x, num_workers=4):
    values = as_array(x)
    workers = positive_int("num_workers", num_workers)
    with ThreadPoolExecutor(workers) as pool:
        parts = list(pool.map(vectorized_relu, np.array_split(values.flatten(), workers)))
    return Tensor(np.concatenate([p.data for p in parts]))
