"""What the system says about this process while a kernel runs: threads of BLAS, and the lock."""

import os
import sys

_BLAS_VARIABLES = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS",
                   "OMP_NUM_THREADS")  # fmt: skip


def blas_threads() -> int | None:
    """Threads that the environment allows NumPy's `@`; None where it does not say.

    The variables count if they were set before NumPy was imported.
    """
    for name in _BLAS_VARIABLES:
        value = os.environ.get(name, "")
        if value.isdigit() and int(value) > 0:
            return int(value)
    return None


def has_lock() -> bool:
    """Whether Python has its global interpreter lock: False in a free-threaded build."""
    return getattr(sys, "_is_gil_enabled", lambda: True)()
