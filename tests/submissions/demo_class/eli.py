# base: reference
# One answer is not valid Python.

# %% cache_friendly_matmul
#| export
def cache_friendly_matmul(A, B, block_size=32):
    for i in range(0, m, block_size)
        for j in range(0, n, block_size)
            C[i, j] += A[i] @ B[:, j]
