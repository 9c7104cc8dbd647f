"""What all tests share: the repository's root, and examples that are the same in every run."""

import os
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


@pytest.fixture(scope="session")
def sandbox() -> None:
    """For tests that run code in a sandbox: skipped without one, failed if SANDBOX_TESTS=required.

    So a computer without bubblewrap runs the rest, and CI cannot pass without it.
    """
    from tinytorch.course.sandbox import problem

    if missing := problem():
        (pytest.fail if os.environ.get("SANDBOX_TESTS") == "required" else pytest.skip)(missing)
