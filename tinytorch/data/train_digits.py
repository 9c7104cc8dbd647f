"""Trains the digits network again: ``python -m tinytorch.data.train_digits [--out PATH]``.

Takes seconds. The result is the shipped digits_model.npz up to the rounding of the BLAS at hand.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tinytorch.core.activations import ReLU
from tinytorch.core.layers import Dense
from tinytorch.core.networks import Sequential
from tinytorch.core.training import accuracy, fit
from tinytorch.data import load_digits

DEFAULT_OUT = Path(__file__).with_name("digits_model.npz")


def train(seed: int = 0) -> Sequential:
    """A 64-128-64-10 Dense/ReLU network trained on the training images of `load_digits`."""
    digits = load_digits()
    rng = np.random.default_rng(seed)
    model = Sequential(
        [Dense(64, 128, rng=rng), ReLU(), Dense(128, 64, rng=rng), ReLU(), Dense(64, 10, rng=rng)]
    )
    x, y = with_shifts(digits.x_train, digits.y_train)
    fit(model, x, y, epochs=20, batch_size=32, learning_rate=0.05, weight_decay=1e-3, rng=rng)
    return model


def with_shifts(
    x: npt.NDArray[np.float32], y: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]:
    """x (n, 64) and y (n,), followed by x moved by one pixel in each of the four directions.

    A shifted digit is still the same digit; on held-out images this is worth about one point.
    """
    padded = np.pad(x.reshape(-1, 8, 8), ((0, 0), (1, 1), (1, 1)))
    corners = ((1, 1), (0, 1), (2, 1), (1, 0), (1, 2))
    moved = [padded[:, top : top + 8, left : left + 8] for top, left in corners]
    return np.concatenate(moved).reshape(-1, 64), np.tile(y, len(corners))


def main(argv: list[str] | None = None) -> None:
    """Train, write the file, print the accuracy on the held-out images."""
    parser = argparse.ArgumentParser(description="Train the digits network and save it.")
    parser.add_argument("--out", type=Path, default=DEFAULT_OUT, help="the .npz file to write")
    out = parser.parse_args(argv).out
    model = train()
    try:
        model.save(out)
    except OSError as error:
        parser.exit(1, f"cannot write {out}: {error.strerror}\n")
    digits = load_digits()
    held_out = accuracy(model, digits.x_test, digits.y_test)
    print(f"{out.name}: {held_out:.4f} of {len(digits.y_test)} held-out images are right")


if __name__ == "__main__":
    main()
