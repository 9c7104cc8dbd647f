"""The student kit works on its own: unpacked anywhere, run, exported, handed in."""

import os
import re
import subprocess
import sysconfig
import venv
import zipfile
from pathlib import Path

import nbformat
import pytest

from tinytorch.course.kit import STUDENT_NEEDS, build_kit, student_package, unpack_kit
from tinytorch.course.project import CourseError

TOP = "tinytorch-11_kernels"
LESSON = Path("modules", "source", "11_kernels")

SOLVED = """
#| export
def matmul_baseline(A, B):
    return "my own answer"
"""

WORK = f"""
import sys

import nbformat
from nbclient import NotebookClient

path = sys.argv[1]
notebook = nbformat.read(path, as_version=4)
by_id = {{cell.id: cell for cell in notebook.cells}}
by_id["matmul_baseline"].source = {SOLVED!r}
nbformat.write(notebook, path)
NotebookClient(
    notebook, timeout=120, allow_errors=True, resources={{"metadata": {{"path": sys.argv[2]}}}}
).execute()
for cell in notebook.cells:
    for output in cell.get("outputs", []):
        if output.output_type == "error":
            print(cell.id, output.ename, output.evalue)
"""


@pytest.fixture(scope="module")
def names(released) -> list[str]:
    with zipfile.ZipFile(released.kit("11_kernels")) as archive:
        return archive.namelist()


def unpack(released, folder: Path) -> Path:
    with zipfile.ZipFile(released.kit("11_kernels")) as archive:
        archive.extractall(folder)
    return folder / TOP


def work_through(kit: Path, python: str, path: str) -> None:
    """Answer one stub, run the notebook, export it, and import what was exported."""
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    environment |= {"PYTHONPATH": path, "PATH": str(Path(python).parent) + ":/usr/bin:/bin"}

    def run(*command: str) -> str:
        done = subprocess.run(command, cwd=kit, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout

    errors = run(python, "-c", WORK, str(LESSON / "kernels_dev.ipynb"), str(LESSON))
    assert "test_vectorized_relu NotImplementedError vectorized_relu is not written yet" in errors
    assert "ModuleNotFoundError" not in errors
    run(str(Path(python).parent / "nbdev_export"))
    code = (
        "import tinytorch.core.kernels as k; print(k.__file__); print(k.matmul_baseline(1, 2))\n"
        "try: k.vectorized_relu(1)\n"
        "except NotImplementedError as error: print(error)"
    )
    assert run(python, "-c", code).splitlines() == [
        str(kit / "tinytorch" / "core" / "kernels.py"),
        "my own answer",
        "vectorized_relu is not written yet",
    ]


def test_everything_lies_in_one_folder(names):
    assert {name.split("/")[0] for name in names} == {TOP}


@pytest.mark.parametrize(
    "name",
    [
        "README.md",
        "requirements.txt",
        "pyproject.toml",
        "settings.ini",
        "modules/source/jupytext.toml",
        "modules/source/11_kernels/kernels_dev.ipynb",
        "modules/source/11_kernels/kernels_dev.py",
        "tinytorch/py.typed",
        "tinytorch/core/tensor.py",
        "tinytorch/data/digits.npz",
    ],
)
def test_the_kit_holds(names, name):
    assert f"{TOP}/{name}" in names


def test_the_kit_holds_neither_the_reference_nor_the_course_nor_rubbish(names):
    for name in names:
        assert not name.endswith(("core/kernels.py", "_modidx.py", ".pyc")), name
        assert "/course/" not in name
        assert "/." not in name


def test_the_script_is_the_released_notebook_as_text(released, tmp_path):
    import jupytext

    kit = unpack(released, tmp_path)
    script = jupytext.read(kit / LESSON / "kernels_dev.py")
    notebook = nbformat.read(kit / LESSON / "kernels_dev.ipynb", as_version=4)
    assert [cell.source for cell in script.cells] == [cell.source for cell in notebook.cells]


def test_requirements_are_the_students_alone_and_have_limits(released, tmp_path):
    lines = (unpack(released, tmp_path) / "requirements.txt").read_text().splitlines()
    assert [re.split("[<>=]", line)[0] for line in lines] == list(STUDENT_NEEDS)
    assert "nbdev==2.4.14" in lines


def test_versions_come_from_the_constraints(tiny):
    from tinytorch.course.release import release

    (tiny.root / "constraints.txt").write_text(
        "# pins\nnumpy==2.4.6\nJinja2==3.1.6\nnumba==0.1 # x\n"
    )
    kit = release(tiny, "01_double").kit
    with zipfile.ZipFile(kit) as archive:
        lines = archive.read("tinytorch-01_double/requirements.txt").decode().splitlines()
    assert lines[:2] == ["numpy==2.4.6", "numba==0.1"]
    assert not any("jinja" in line.lower() for line in lines)


def test_the_readme_names_the_notebook_and_leaves_no_blank(released, tmp_path):
    text = (unpack(released, tmp_path) / "README.md").read_text()
    assert "jupyter lab" in text and "modules/source/11_kernels/kernels_dev.ipynb" in text
    assert "Python 3.11, 3.12 or 3.13" in text
    assert "$" not in text


def test_packing_twice_gives_the_same_bytes_wherever_it_happens(released, monkeypatch, tmp_path):
    before = released.kit("11_kernels").read_bytes()
    monkeypatch.chdir(tmp_path)
    released.kit("11_kernels").unlink()
    assert build_kit(released, "11_kernels").read_bytes() == before


def test_without_a_release_there_is_no_kit(tiny):
    with pytest.raises(CourseError, match=r"is missing: run `tito release 01_double` first"):
        build_kit(tiny, "01_double")


def test_the_students_package_is_ready_for_sys_path(released, tmp_path):
    student_package(released, tmp_path)
    package = tmp_path / "tinytorch"
    assert sorted(path.name for path in package.iterdir()) == [
        "__init__.py",
        "core",
        "data",
        "lab",
        "py.typed",
    ]
    assert not (package / "core" / "kernels.py").exists()


def test_a_package_that_is_there_already_is_not_mixed_with_another(released, tmp_path):
    student_package(released, tmp_path)
    with pytest.raises(CourseError, match="exists already"):
        student_package(released, tmp_path)


def test_a_student_works_through_the_kit(released, tmp_path):
    kit = unpack(released, tmp_path)
    work_through(kit, str(Path(sysconfig.get_path("scripts")) / "python"), str(kit))


def test_the_kit_needs_only_its_own_requirements(released, tmp_path):
    kit = unpack(released, tmp_path)
    venv.create(kit / ".venv", with_pip=True)
    python = kit / ".venv" / "bin" / "python"
    subprocess.run(
        [python, "-m", "pip", "install", "-q", "-r", "requirements.txt", "-e", "."],
        cwd=kit,
        check=True,
    )
    work_through(kit, str(python), "")


def test_an_unpacked_kit_keeps_the_work_in_it(released):
    folder = unpack_kit(released, "11_kernels")
    work = folder / LESSON / "notes.txt"
    work.write_text("mine")
    assert unpack_kit(released, "11_kernels") == folder and work.read_text() == "mine"
    unpack_kit(released, "11_kernels", fresh=True)
    assert not work.exists() and (folder / "README.md").is_file()
