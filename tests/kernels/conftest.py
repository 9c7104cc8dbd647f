"""What the contract tests share."""

import warnings
from collections.abc import Iterator

import numpy as np
import pytest


@pytest.fixture(autouse=True)
def _no_overflow_noise() -> Iterator[None]:
    """Overflow and NaN arithmetic are the caller's affair: NumPy may warn, and does."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore", RuntimeWarning)
        yield
