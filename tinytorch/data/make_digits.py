"""Makes digits.npz from scikit-learn's copy: ``python -m tinytorch.data.make_digits``.

For maintainers: scikit-learn is not among the package's requirements, and the file is shipped.
Running this again writes the same bytes.
"""

from __future__ import annotations

import argparse
from collections import Counter
from pathlib import Path

import numpy as np
import numpy.typing as npt

DEFAULT_OUT = Path(__file__).with_name("digits.npz")


def split(labels: npt.NDArray[np.integer]) -> npt.NDArray[np.bool_]:
    """Which images are held out: every fifth of each class, in the order of the data set.

    A rule without random numbers, stratified by construction. Returns (n,) bool.
    """
    seen: Counter[int] = Counter()
    is_test = np.zeros(len(labels), bool)
    for index, label in enumerate(labels.tolist()):
        is_test[index] = seen[label] % 5 == 2  # counted from 2, the classes yield 359 in all
        seen[label] += 1
    return is_test


def main(argv: list[str] | None = None) -> None:
    """Write the file and say what it holds."""
    parser = argparse.ArgumentParser(description="Make digits.npz from scikit-learn's copy.")
    parser.add_argument("--out", type=Path, default=DEFAULT_OUT, help="the .npz file to write")
    out = parser.parse_args(argv).out
    try:
        from sklearn.datasets import load_digits
    except ImportError:
        parser.exit(1, "make_digits needs scikit-learn: pip install scikit-learn\n")

    source = load_digits()
    labels = source.target.astype(np.uint8)
    arrays = {
        "images": source.data.astype(np.uint8),
        "labels": labels,
        "is_test": split(labels),
    }
    try:
        with open(out, "wb") as file:
            # Not compressed: compressed bytes depend on the zlib that Python was built with.
            np.savez(file, **arrays)
    except OSError as error:
        parser.exit(1, f"cannot write {out}: {error.strerror}\n")
    held_out = int(arrays["is_test"].sum())
    print(f"{out.name}: {len(labels)} images, {held_out} of them held out")


if __name__ == "__main__":
    main()
