# wrong: the work is submitted as one task, the other threads of the pool have nothing to do
# loses: mechanism
# %%
def parallel_relu(x, num_workers=4):
    values = as_array(x)
    workers = positive_int("num_workers", num_workers)
    zero = values.dtype.type(0)
    with ThreadPoolExecutor(max_workers=workers) as executor:
        future = executor.submit(np.maximum, values, zero)
        result = future.result()
    return Tensor(np.asarray(result))
