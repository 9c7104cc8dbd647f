# right: blocks of rows in a pool, 8 columns at a time with a ragged end, float64 sums
# %%
def fused_linear_relu(x, W, b, num_workers=2):
    a, w = matmul_operands(x, W)
    bias = as_array(b)
    n = w.shape[1]
    if bias.shape != (n,):
        raise ValueError(f"x {a.shape} @ W {w.shape} needs b ({n},), got {bias.shape}")
    dtype = np.result_type(a, w, bias)
    if not compilable(a, w, bias):
        return vectorized_relu(np.add(matmul(a, w), bias))
    out = np.zeros((a.shape[0], n), dtype)
    a, w, bias = [np.array(v, dtype, order="C") for v in (a, w, bias)]
    blocks = [(a[i : i + 32], w, bias, out[i : i + 32]) for i in range(0, len(a), 32)]
    with ThreadPoolExecutor(2) as pool:
        for _ in pool.map(lambda block: block_of_rows(*block), blocks):
            pass
    return Tensor(out)


@compiled
def block_of_rows(x, w, bias, out):
    n = w.shape[1]
    for j0 in range(0, n, 8):
        j1 = min(j0 + 8, n)
        for i in range(x.shape[0]):
            for j in range(j0, j1):
                total = np.float64(bias[j])
                for p in range(x.shape[1]):
                    total += np.float64(x[i, p]) * w[p, j]
                out[i, j] = 0 if total < 0 else total
