# right: a generator of slices, itertools.product and einsum on the tiles, prints
# %%
import itertools


def cuts(length, step):
    start = 0
    while start < length:
        yield slice(start, min(start + step, length))
        start += step

# %%
def cache_friendly_matmul(A, B, block_size=32):
    a, b = matmul_operands(A, B)
    step = positive_int("block_size", block_size)
    result = np.zeros((a.shape[0], b.shape[1]), dtype=np.result_type(a, b))
    tiles = 0
    for rows, inner, cols in itertools.product(
        cuts(a.shape[0], step), cuts(a.shape[1], step), cuts(b.shape[1], step)
    ):
        result[rows, cols] += np.einsum("ip,pj->ij", a[rows, inner], b[inner, cols])
        tiles += 1
    print(tiles, "tile products")
    return Tensor(result)
