"""The wheel, through the learner's door: an empty environment, pip install, import, a product."""

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

VERSIONS = ["3.11", "3.12", "3.13"]
PROGRAM = """
import sys
import numpy as np
import tinytorch.core.kernels as kernels
from tinytorch.data import digits_model, load_digits
from tinytorch.core.training import accuracy
digits = load_digits()
assert accuracy(digits_model(), digits.x_test, digits.y_test) >= 0.97
print(kernels.matmul_baseline(np.eye(2), [[1.0, 2.0], [3.0, 4.0]]).data.tolist())
assert "nbgrader" not in sys.modules and "matplotlib" not in sys.modules
"""


def _interpreter(version: str) -> str | None:
    """A Python of that version: this one, one on the PATH, or one that pyenv keeps."""
    candidates = [sys.executable, shutil.which(f"python{version}")]
    root = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    candidates += sorted(str(p) for p in root.glob(f"versions/{version}.*/bin/python"))
    for candidate in filter(None, candidates):
        check = f"import sys, venv; sys.exit('{version}' != '%d.%d' % sys.version_info[:2])"
        if subprocess.run([candidate, "-c", check], capture_output=True).returncode == 0:
            return candidate
    return None


@pytest.fixture(scope="module")
def wheel(repo, tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("wheel")
    source = out / "source"
    shutil.copytree(
        repo, source, ignore=shutil.ignore_patterns(".git", ".venv", "build", "submitted", "*.db")
    )
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--outdir", out, source],
        check=True,
        capture_output=True,
        text=True,
    )
    (made,) = out.glob("*.whl")
    return made


@pytest.mark.parametrize("version", VERSIONS)
def test_the_wheel_installs_and_imports_alone(wheel, version, tmp_path):
    interpreter = _interpreter(version)
    if interpreter is None:
        pytest.skip(f"no Python {version} on this machine")
    subprocess.run([interpreter, "-m", "venv", tmp_path / "env"], check=True)
    python = tmp_path / "env/bin/python"
    install = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", wheel]
    subprocess.run(install, check=True, cwd=tmp_path)
    run = subprocess.run(
        [python, "-W", "error", "-c", PROGRAM], cwd=tmp_path, capture_output=True, text=True
    )
    assert run.returncode == 0, run.stderr
    assert run.stdout.strip() == "[[1.0, 2.0], [3.0, 4.0]]"


def test_the_wheel_holds_no_tests_no_lesson_and_no_grades(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    assert "tinytorch/core/kernels.py" in names and "tinytorch/data/digits.npz" in names
    assert "tinytorch/py.typed" in names
    outside = {n.split("/")[0] for n in names if not n.startswith("tinytorch/")}
    assert all(name.endswith(".dist-info") for name in outside), outside
