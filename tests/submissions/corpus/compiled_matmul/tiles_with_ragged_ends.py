# right: 16 by 16 tiles of scalar loops with min at the ends, prints and warns
# %%
import sys
import warnings

TILE = 16

# %%
@compiled
def one_tile(a, b, c, i0, i1, j0, j1):
    for i in range(i0, i1):
        for j in range(j0, j1):
            total = c[i, j]
            for p in range(a.shape[1]):
                total += a[i, p] * b[p, j]
            c[i, j] = total


@compiled
def all_tiles(a, b, c, tile):
    for i0 in range(0, c.shape[0], tile):
        i1 = min(i0 + tile, c.shape[0])
        for j0 in range(0, c.shape[1], tile):
            one_tile(a, b, c, i0, i1, j0, min(j0 + tile, c.shape[1]))

# %%
def compiled_matmul(A, B, num_workers=None):
    a, b = matmul_operands(A, B)
    if not compilable(a, b):
        warnings.warn("not compiled for these dtypes", stacklevel=2)
        return Tensor(matmul(a, b))
    print("tiles of", TILE, "by", TILE)
    print("sizes", a.shape, b.shape, file=sys.stderr)
    dtype = np.result_type(a, b)
    c = np.zeros((len(a), b.shape[1]), dtype)
    all_tiles(in_c_order_copy(a, dtype), in_c_order_copy(b, dtype), c, TILE)
    return Tensor(c)

# %%
def in_c_order_copy(x, dtype):
    return np.array(x, dtype=dtype, order="C", copy=True)
