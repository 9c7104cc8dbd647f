"""How functions are compiled: what is kept on disk, what is counted, what is survived."""

import os
import shutil
import subprocess
import sys
import types
from pathlib import Path

import numpy as np
import pytest

from tinytorch.core.simd import compilable, compiled, packed_instructions, registers

MODULE = """
from tinytorch.core.simd import compiled
FACTOR = {factor}

@compiled
def scaled(x):
    for i in range(x.size):
        x[i] *= FACTOR
"""
CALL = """
import numpy as np, kept
x = np.ones(3)
kept.scaled(x)
print(int(x[0]), sum(kept.scaled.stats.cache_hits.values()))
"""


def loop(x, out):
    for i in range(x.size):
        out[i] = x[i] * x[i]


def serial_loop(x, out):
    for i in range(1, x.size):
        out[i] = x[i] * out[i - 1]


@pytest.fixture
def folder(tmp_path) -> Path:
    (tmp_path / "kept.py").write_text(MODULE.format(factor=3))
    return tmp_path


def run(folder: Path, **variables: str) -> list[str]:
    """Stdout's words of a fresh process that calls the compiled function of kept.py."""
    paths = os.pathsep.join([str(folder), *filter(None, sys.path)])
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", CALL],
        env=os.environ | {"PYTHONPATH": paths} | variables,
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0 and not done.stderr, done.stderr
    return done.stdout.split()


def test_a_second_start_loads_compiled_code_and_compiles_nothing(folder):
    assert run(folder) == ["3", "0"]
    assert run(folder) == ["3", "1"]


def test_a_changed_file_is_compiled_again(folder):
    run(folder)
    (folder / "kept.py").write_text(MODULE.format(factor=55))
    assert run(folder) == ["55", "0"]


def test_a_change_anywhere_in_the_package_is_compiled_again(folder, repo):
    package = folder / "tinytorch"
    shutil.copytree(repo / "tinytorch", package, ignore=shutil.ignore_patterns("__pycache__"))
    run(folder)
    assert run(folder) == ["3", "1"]
    os.utime(package / "core/simd/tiles.py", (1, 1))
    assert run(folder) == ["3", "0"]


def test_without_a_folder_that_can_be_written_it_compiles_at_every_start(folder):
    (folder / "__pycache__").write_text("a file where the folder would be")
    nowhere = {"HOME": "/dev/null", "XDG_CACHE_HOME": "/dev/null", "PYTHONDONTWRITEBYTECODE": "1"}
    assert run(folder, **nowhere) == ["3", "0"]
    assert run(folder, **nowhere) == ["3", "0"]


@pytest.mark.parametrize("suffix", [".nbi", ".nbc"])
def test_a_cache_file_cut_short_is_survived(folder, suffix):
    run(folder)
    for path in (folder / "__pycache__").glob(f"*{suffix}"):
        path.write_bytes(path.read_bytes()[:20])
    assert run(folder)[0] == "3"


def test_a_cache_that_can_no_longer_be_written_is_survived(folder):
    hindered = CALL.replace(
        "x = ", "import shutil; shutil.rmtree(kept.__cached__.rsplit('/', 1)[0])\nx = "
    )
    paths = os.pathsep.join([str(folder), *filter(None, sys.path)])
    done = subprocess.run(
        [sys.executable, "-c", hindered],
        env=os.environ | {"PYTHONPATH": paths},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.stdout.split() == ["3", "0"], done.stderr


def test_functions_of_a_notebook_are_not_kept():
    own = types.FunctionType(loop.__code__, {"__name__": "__main__"}, "loop")
    own.__module__ = "__main__"
    x = np.ones(4)
    function = compiled(own)
    function(x, np.empty(4))
    assert function.stats.cache_path is None


def test_packed_instructions_are_counted_and_a_serial_loop_has_none():
    x = np.ones(64, np.float32)
    vector, serial = compiled(loop), compiled(serial_loop)
    for function in (vector, serial):
        function(x, np.ones(64, np.float32))
    assert sum(packed_instructions(vector).values()) > 0
    assert packed_instructions(serial) == {}


def test_instructions_of_code_that_came_from_the_disk_are_counted_too(folder):
    count = CALL + "from tinytorch.core.simd import packed_instructions\n"
    count += "print(sum(packed_instructions(kept.scaled).values()) > 0)"
    paths = os.pathsep.join([str(folder), *filter(None, sys.path)])
    for hits in ("0", "1"):
        done = subprocess.run(
            [sys.executable, "-c", count],
            env=os.environ | {"PYTHONPATH": paths},
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout.split() == ["3", hits, "True"]


def test_what_was_never_called_has_no_instructions_to_count():
    with pytest.raises(ValueError, match="call loop once"):
        packed_instructions(compiled(loop))


def test_registers_are_a_power_of_two_bytes_wide():
    width, count = registers()
    assert width in (16, 32, 64) and count in (16, 32)


@pytest.mark.parametrize(
    "dtypes, expected",
    [
        (["f4"], True),
        (["f8", "f4"], True),
        (["f4", "i4"], False),
        ([">f4"], False),
        (["f2"], False),
    ],
)
def test_compilable_means_native_float32_and_float64(dtypes, expected):
    assert compilable(*(np.zeros(2, dtype) for dtype in dtypes)) is expected
