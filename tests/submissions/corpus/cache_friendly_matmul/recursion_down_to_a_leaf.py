# right: cuts the longest side in two until a tile is small enough
# %%
def multiply_add(a, b, C, leaf):
    m, k = a.shape
    n = b.shape[1]
    longest = max(m, k, n)
    if longest <= leaf:
        C += a @ b
        return
    if m == longest:
        h = m // 2
        multiply_add(a[:h], b, C[:h], leaf)
        multiply_add(a[h:], b, C[h:], leaf)
    elif n == longest:
        h = n // 2
        multiply_add(a, b[:, :h], C[:, :h], leaf)
        multiply_add(a, b[:, h:], C[:, h:], leaf)
    else:
        h = k // 2
        multiply_add(a[:, :h], b[:h], C, leaf)
        multiply_add(a[:, h:], b[h:], C, leaf)

# %%
def cache_friendly_matmul(A, B, block_size=32):
    a, b = matmul_operands(A, B)
    leaf = positive_int("block_size", block_size)
    C = np.zeros((a.shape[0], b.shape[1]), dtype=np.result_type(a, b))
    multiply_add(a, b, C, leaf)
    return Tensor(C)
