# right: np.matmul with out= into a scratch tile, and extra cells that take the names of others
# %%
# my experiments
rng = np.random.RandomState(3)
A = rng.rand(2, 2)
B = C = expected = got = check = cause = None
str = "text"
threading = "not needed here"

# %%
def cache_friendly_matmul(A, B, block_size=32):
    """Blocked matmul."""
    x, y = matmul_operands(A, B)
    bs = positive_int("block_size", block_size)
    dtype = np.result_type(x, y)
    out = np.zeros((x.shape[0], y.shape[1]), dtype=dtype)
    edge = min(bs, max(x.shape[0], y.shape[1], 1))
    spare = np.empty((edge, edge), dtype=dtype)
    for p in range(0, x.shape[1], bs):
        for i in range(0, out.shape[0], bs):
            for j in range(0, out.shape[1], bs):
                target = out[i : i + bs, j : j + bs]
                product = spare[: target.shape[0], : target.shape[1]]
                np.matmul(x[i : i + bs, p : p + bs], y[p : p + bs, j : j + bs], out=product)
                target += product
    return Tensor(out)

# %%
A = cache_friendly_matmul(np.ones((3, 3)), np.ones((3, 3)), 2)
print("test run:", A.shape)
expected = A
