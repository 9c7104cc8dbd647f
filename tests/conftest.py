"""What all tests share: the repository's root, and examples that are the same in every run."""

from pathlib import Path

import pytest
from hypothesis import settings

# No deadline: an example's time depends on the machine. Derandomized: a failure repeats.
settings.register_profile("repo", deadline=None, derandomize=True, print_blob=True)
settings.load_profile("repo")


@pytest.fixture(scope="session")
def repo() -> Path:
    """The repository's root."""
    return Path(__file__).resolve().parents[1]
