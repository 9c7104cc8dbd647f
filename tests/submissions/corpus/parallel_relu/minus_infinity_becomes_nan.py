# wrong: multiplies by the mask, and -inf times 0 is NaN
# loses: values
# %%
def masked(piece):
    return (piece * (piece > 0)).astype(piece.dtype)


def parallel_relu(x, num_workers=4):
    values = as_array(x)
    workers = positive_int("num_workers", num_workers)
    with ThreadPoolExecutor(workers) as pool:
        jobs = [pool.submit(masked, piece) for piece in np.array_split(values.ravel(), workers)]
    return Tensor(np.concatenate([job.result() for job in jobs]).reshape(values.shape))
