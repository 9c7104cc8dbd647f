"""Matrix products in the styles in which students write them, for the tests of the instruments."""

import numba
import numpy as np

from tinytorch.core.layers import matmul_operands
from tinytorch.core.tensor import Tensor, as_array


def ijk(A, B):
    (m, k), n = A.shape, B.shape[1]
    C = np.zeros((m, n), np.result_type(A, B))
    for i in range(m):
        for j in range(n):
            for p in range(k):
                C[i, j] += A[i, p] * B[p, j]
    return C


def sum_in_a_variable(A, B):
    (m, k), n = A.shape, B.shape[1]
    C = np.zeros((m, n), np.result_type(A, B))
    for i in range(m):
        for j in range(n):
            total = 0.0
            for p in range(k):
                total += A[i, p] * B[p, j]
            C[i, j] = total
    return C


def ikj(A, B):
    (m, k), n = A.shape, B.shape[1]
    C = np.zeros((m, n), np.result_type(A, B))
    for i in range(m):
        for p in range(k):
            a = A[i, p]
            for j in range(n):
                C[i, j] += a * B[p, j]
    return C


def blocked_loops(A, B, block_size=8):
    s, (m, k), n = block_size, A.shape, B.shape[1]
    C = np.zeros((m, n), np.result_type(A, B))
    for i0 in range(0, m, s):
        for j0 in range(0, n, s):
            for p0 in range(0, k, s):
                for i in range(i0, min(i0 + s, m)):
                    for j in range(j0, min(j0 + s, n)):
                        for p in range(p0, min(p0 + s, k)):
                            C[i, j] += A[i, p] * B[p, j]
    return C


def _by_tiles(A, B, s, product):
    a, b = matmul_operands(A, B)
    C = np.zeros((a.shape[0], b.shape[1]), dtype=np.result_type(a, b))
    for i in range(0, a.shape[0], s):
        for j in range(0, b.shape[1], s):
            for p in range(0, a.shape[1], s):
                product(a[i : i + s, p : p + s], b[p : p + s, j : j + s], C[i : i + s, j : j + s])
    return Tensor(C)


def tiles_at(A, B, block_size=8):
    def product(a, b, c):
        c += a @ b

    return _by_tiles(A, B, block_size, product)


def tiles_dot(A, B, block_size=8):
    def product(a, b, c):
        c[...] = c + np.dot(a, b)

    return _by_tiles(A, B, block_size, product)


def tiles_method_dot(A, B, block_size=8):
    def product(a, b, c):
        c += a.dot(b)

    return _by_tiles(A, B, block_size, product)


def tiles_einsum(A, B, block_size=8):
    def product(a, b, c):
        c += np.einsum("ip,pj->ij", a, b)

    return _by_tiles(A, B, block_size, product)


def tiles_out(A, B, block_size=8):
    tile = np.empty((block_size, block_size), np.float32)

    def product(a, b, c):
        out = tile[: c.shape[0], : c.shape[1]]
        np.matmul(a, b, out=out)
        np.add(c, out, out=c)

    return _by_tiles(A, B, block_size, product)


@numba.njit
def add_tile(a, b, c):
    for i in range(c.shape[0]):
        for j in range(c.shape[1]):
            for p in range(a.shape[1]):
                c[i, j] += a[i, p] * b[p, j]


def tiles_compiled(A, B, block_size=8):
    return _by_tiles(A, B, block_size, add_tile)


def tiles_transposed(A, B, block_size=8):
    def product(a, b, c):
        c.T[...] += b.T @ a.T

    return _by_tiles(A, B, block_size, product)


def tiles_of_copies(A, B, block_size=8):
    a, b = np.array(as_array(A), dtype=np.float32), as_array(B).astype(np.float32)
    return tiles_at(np.ascontiguousarray(a), b, block_size)


def tiles_packed(A, B, block_size=8):
    def product(a, b, c):
        c += np.ascontiguousarray(a) @ b.copy()

    return _by_tiles(A, B, block_size, product)


def recursive(A, B, block_size=8):
    a, b = matmul_operands(A, B)
    C = np.zeros((a.shape[0], b.shape[1]), dtype=np.result_type(a, b))
    _recursive_into(a, b, C, block_size)
    return Tensor(C)


def _recursive_into(a, b, c, leaf):
    (m, k), n = a.shape, b.shape[1]
    longest = max(m, k, n)
    if longest <= leaf:
        c += a @ b
    elif longest == m:
        for rows in (slice(0, m // 2), slice(m // 2, m)):
            _recursive_into(a[rows], b, c[rows], leaf)
    elif longest == n:
        for columns in (slice(0, n // 2), slice(n // 2, n)):
            _recursive_into(a, b[:, columns], c[:, columns], leaf)
    else:
        for part in (slice(0, k // 2), slice(k // 2, k)):
            _recursive_into(a[:, part], b[part], c, leaf)


def whole(A, B, block_size=8):
    a, b = matmul_operands(A, B)
    return Tensor(a @ b)


def whole_of_copies(A, B, block_size=8):
    return Tensor(np.array(as_array(A)) @ as_array(B).copy())


def whole_einsum(A, B, block_size=8):
    return Tensor(np.einsum("ip,pj->ij", as_array(A), as_array(B)))


def row_by_row(A, B, block_size=8):
    a, b = matmul_operands(A, B)
    return Tensor(np.stack([row @ b for row in a]))


def outer_products(A, B, block_size=8):
    a, b = matmul_operands(A, B)
    C = np.zeros((a.shape[0], b.shape[1]), dtype=np.result_type(a, b))
    for p in range(a.shape[1]):
        C += np.outer(a[:, p], b[p])
    return Tensor(C)
