"""A matrix product in plain Python loops, in three orders: what tito traces beside the kernels.

Examples to look at, far too slow to use.
"""

from __future__ import annotations

import numpy as np

from tinytorch.core.tensor import positive_int


def ijk(A: np.ndarray, B: np.ndarray) -> np.ndarray:
    """A (m, k) @ B (k, n): each element of C in turn, walking down a column of B."""
    (m, k), n = A.shape, B.shape[1]
    C = np.zeros((m, n), np.result_type(A, B))
    for i in range(m):
        for j in range(n):
            for p in range(k):
                C[i, j] += A[i, p] * B[p, j]
    return C


def ikj(A: np.ndarray, B: np.ndarray) -> np.ndarray:
    """A (m, k) @ B (k, n): each element of A in turn, walking along rows of B and C."""
    (m, k), n = A.shape, B.shape[1]
    C = np.zeros((m, n), np.result_type(A, B))
    for i in range(m):
        for p in range(k):
            for j in range(n):
                C[i, j] += A[i, p] * B[p, j]
    return C


def blocked(A: np.ndarray, B: np.ndarray, block_size: int = 8) -> np.ndarray:
    """A (m, k) @ B (k, n): tile by tile, each small enough to stay in a cache."""
    size, (m, k), n = positive_int("block_size", block_size), A.shape, B.shape[1]
    C = np.zeros((m, n), np.result_type(A, B))
    for i0 in range(0, m, size):
        for j0 in range(0, n, size):
            for p0 in range(0, k, size):
                for i in range(i0, min(i0 + size, m)):
                    for j in range(j0, min(j0 + size, n)):
                        for p in range(p0, min(p0 + size, k)):
                            C[i, j] += A[i, p] * B[p, j]
    return C
