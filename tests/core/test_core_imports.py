"""What importing the core brings with it."""

import subprocess
import sys

import pytest

PLAIN = ["tensor", "activations", "layers", "networks", "training"]
COMPILED = ["compression", "kernels"]
ABOVE = ("tinytorch.lab", "tinytorch.data", "tinytorch.course", "sklearn", "matplotlib")


@pytest.mark.parametrize(
    "modules, unwanted", [(PLAIN, (*ABOVE, "numba")), (COMPILED, ABOVE)], ids=["plain", "compiled"]
)
def test_the_core_imports_numpy_and_where_it_compiles_numba(modules, unwanted):
    code = (
        "import sys, tinytorch\n"
        "assert 'numpy' not in sys.modules, 'the package itself imports nothing'\n"
        f"import {', '.join('tinytorch.core.' + name for name in modules)}\n"
        f"upward = [m for m in sys.modules if m.startswith({unwanted})]\n"
        "assert not upward, upward\n"
    )
    result = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True)
    assert (result.returncode, result.stderr) == (0, b"")
