# right: the kernel cleans a copy in place, in two threads where x is large
# %%
def compiled_relu(x, num_workers=2):
    values = as_array(x)
    if not compilable(values):
        zero = np.zeros((), values.dtype)
        return Tensor(np.asarray(np.maximum(values, zero)))
    result = np.array(values, copy=True, order="C")
    flat = result.reshape(-1)
    if flat.size < 100_000:
        cut_negative(flat)
    else:
        half = flat.size // 2
        with ThreadPoolExecutor(max_workers=2) as pool:
            for done in [pool.submit(cut_negative, part) for part in (flat[:half], flat[half:])]:
                done.result()
    return Tensor(result)


@compiled
def cut_negative(a):
    for i in range(a.size):
        if a[i] < 0:
            a[i] = 0
