# right: within a tile, a sum of outer products of a column of A and a row of B, nested functions
# %%
def cache_friendly_matmul(A, B, block_size=32):
    a, b = matmul_operands(A, B)
    size = positive_int("block_size", block_size)
    C = np.zeros((a.shape[0], b.shape[1]), dtype=np.result_type(a, b))

    def starts(length):
        return list(range(0, length, size))

    def add_block(r, c, d):
        block = C[r : r + size, c : c + size]
        for p in range(d, min(d + size, a.shape[1])):
            block += np.outer(a[r : r + size, p], b[p, c : c + size])

    [add_block(r, c, d) for d in starts(len(b)) for c in starts(C.shape[1]) for r in starts(len(a))]
    return Tensor(C)
