# wrong: the number of row blocks is rounded down, columns and inner dimension are right
# loses: shapes
# %%
def cache_friendly_matmul(A, B, block_size=32):
    a, b = matmul_operands(A, B)
    bs = positive_int("block_size", block_size)
    out = np.zeros((a.shape[0], b.shape[1]), dtype=np.result_type(a, b))
    for block in range(a.shape[0] // bs):
        top = block * bs
        for left in range(0, b.shape[1], bs):
            for depth in range(0, a.shape[1], bs):
                out[top : top + bs, left : left + bs] += np.dot(
                    a[top : top + bs, depth : depth + bs], b[depth : depth + bs, left : left + bs]
                )
    return Tensor(out)
