"""The data that the module runs on, and the network trained on it.

Loaders only: ``make_digits`` and ``train_digits`` in this folder made the two files, and
README.md says where the data come from and under which licence. Nothing is downloaded.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from tinytorch.core.networks import Sequential

_FOLDER = Path(__file__).parent


class Digits(NamedTuple):
    """Handwritten digits. Images are (n, 64) float32 in 0..1, row by row; labels (n,) int64."""

    x_train: npt.NDArray[np.float32]
    y_train: npt.NDArray[np.int64]
    x_test: npt.NDArray[np.float32]
    y_test: npt.NDArray[np.int64]


def load_digits() -> Digits:
    """The 1,797 UCI digits of 8x8 pixels in their fixed split: 1,438 to train on, 359 to test.

    Every call returns arrays of its own. ``x_test[0].reshape(8, 8)`` is one picture.
    """
    with np.load(_FOLDER / "digits.npz", allow_pickle=False) as archive:
        # The files count ink in sixteenths of a pixel.
        images = archive["images"].astype(np.float32) / np.float32(16)
        labels = archive["labels"].astype(np.int64)
        is_test = archive["is_test"]
    return Digits(images[~is_test], labels[~is_test], images[is_test], labels[is_test])


def digits_model() -> Sequential:
    """The trained Dense/ReLU network: (n, 64) images to (n, 10) logits."""
    return Sequential.load(_FOLDER / "digits_model.npz")
