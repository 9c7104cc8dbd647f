"""What importing the core brings with it."""

import subprocess
import sys

MODULES = ["tensor", "activations", "layers", "networks", "training", "compression"]


def test_the_core_imports_numpy_only_and_without_a_warning():
    code = (
        "import sys, tinytorch\n"
        "assert 'numpy' not in sys.modules, 'the package itself imports nothing'\n"
        f"import {', '.join('tinytorch.core.' + name for name in MODULES)}\n"
        "upward = [m for m in sys.modules if m.startswith(('tinytorch.lab', 'tinytorch.data', "
        "'tinytorch.course', 'numba', 'sklearn', 'matplotlib'))]\n"
        "assert not upward, upward\n"
    )
    result = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True)
    assert (result.returncode, result.stderr) == (0, b"")
