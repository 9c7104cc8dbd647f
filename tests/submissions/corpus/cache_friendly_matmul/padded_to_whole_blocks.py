# right: zero-padded copies cut into 4-D blocks, so that no tile is ragged
# %%
def blocks_of(matrix, s):
    rows = -(-matrix.shape[0] // s)
    cols = -(-matrix.shape[1] // s)
    padded = np.zeros((rows * s, cols * s), dtype=matrix.dtype)
    padded[: matrix.shape[0], : matrix.shape[1]] = matrix
    return padded.reshape(rows, s, cols, s).transpose(0, 2, 1, 3)

# %%
def cache_friendly_matmul(A, B, block_size=32):
    a, b = matmul_operands(A, B)
    s = positive_int("block_size", block_size)
    m, n = a.shape[0], b.shape[1]
    if m == 0 or n == 0 or a.shape[1] == 0:
        return Tensor(np.zeros((m, n), dtype=np.result_type(a, b)))
    s = min(s, max(m, n, a.shape[1]))
    left, right = blocks_of(a, s), blocks_of(b, s)
    I, P = left.shape[:2]
    J = right.shape[1]
    C = np.zeros((I * s, J * s), dtype=np.result_type(a, b))
    for i in range(I):
        for j in range(J):
            for p in range(P):
                C[i * s : (i + 1) * s, j * s : (j + 1) * s] += left[i, p] @ right[p, j]
    return Tensor(C[:m, :n].copy())
