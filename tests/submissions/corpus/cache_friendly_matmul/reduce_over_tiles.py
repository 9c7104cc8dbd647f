# right: functools.reduce and partial, each tile of C is the fold of its tile products
# %%
import functools
import operator


def tile(matrix, s, row, column):
    return matrix[row * s : (row + 1) * s, column * s : (column + 1) * s]


def how_many(length, s):
    return (length + s - 1) // s

# %%
def cache_friendly_matmul(A, B, block_size=32):
    a, b = matmul_operands(A, B)
    s = positive_int("block_size", block_size)
    left, right = functools.partial(tile, a, s), functools.partial(tile, b, s)
    C = np.zeros((a.shape[0], b.shape[1]), dtype=np.result_type(a, b))
    for i, j in np.ndindex(how_many(a.shape[0], s), how_many(b.shape[1], s)):
        products = (left(i, p) @ right(p, j) for p in range(how_many(a.shape[1], s)))
        total = functools.reduce(operator.add, products, 0)
        tile(C, s, i, j)[...] = total
    return Tensor(C)
