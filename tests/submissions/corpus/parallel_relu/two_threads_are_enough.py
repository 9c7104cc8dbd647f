# right: never more than two threads, and one only for a small array
# %%
def parallel_relu(x, num_workers=4):
    values = as_array(x)
    team = min(positive_int("num_workers", num_workers), 2)
    if team == 1 or values.size < 20_000:
        return vectorized_relu(values)
    flat = values.ravel()
    middle = flat.size // 2
    with ThreadPoolExecutor(team) as pool:
        halves = [pool.submit(vectorized_relu, half) for half in (flat[:middle], flat[middle:])]
        joined = np.concatenate([half.result().data for half in halves])
    return Tensor(joined.reshape(values.shape))
