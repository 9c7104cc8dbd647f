"""Run All: the whole notebook with the reference's answers, and as a student first opens it.

What it measures is not judged here, nor how long that takes.
"""

import os
import re
import sys
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell

from tinytorch.course import reference
from tinytorch.course.preprocessors import NameStubs
from tinytorch.course.project import Project

LESSON = "11_kernels"
LARGEST = 1.5 * 2**30  # bytes that the notebook's kernel may take
PEAK = """
import re, resource
try:
    with open("/proc/self/status") as status:
        print(re.search(r"VmHWM:\\s*(\\d+)", status.read())[1])
except OSError:
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""  # Linux hands ru_maxrss on to a process from the one that starts it


def run_all(notebook: NotebookNode, home: Path) -> list[NotebookNode]:
    """Every cell's outputs, in order; errors do not stop the run. Nothing is left in the home."""
    # Without MPLBACKEND pictures appear in the page.
    kept = {name: value for name, value in os.environ.items() if name != "MPLBACKEND"}
    environment = kept | {"HOME": str(home), "XDG_CACHE_HOME": str(home)}
    client = NotebookClient(notebook, kernel_name="python3", timeout=300, allow_errors=True)
    client.execute(env=environment)
    return [output for cell in notebook.cells for output in cell.get("outputs", [])]


def of_type(outputs: list[NotebookNode], kind: str) -> list[NotebookNode]:
    return [output for output in outputs if output.output_type == kind]


@pytest.fixture(scope="module")
def project(repo) -> Project:
    return Project(repo)


def test_with_answers_everything_runs_and_shows_its_picture(project, tmp_path):
    notebook = nbformat.read(project.notebook(LESSON), as_version=4)
    notebook.cells.append(new_code_cell(PEAK))
    outputs = run_all(notebook, tmp_path)
    assert [output.evalue for output in of_type(outputs, "error")] == []
    streams = of_type(outputs, "stream")
    assert [stream.text for stream in streams if stream.name == "stderr"] == []
    pictures = [o for o in of_type(outputs, "display_data") if "image/png" in o.data]
    experiments = [c for c in notebook.cells if "guess=my_guess" in c.source]
    assert len(pictures) >= len(experiments) > 20
    unit = 1 if sys.platform == "darwin" else 2**10
    assert int(streams[-1].text) * unit < LARGEST


def test_with_stubs_everything_runs_and_every_error_says_what_is_missing(project, tmp_path):
    notebook, _ = NameStubs().preprocess(reference.untouched(project, LESSON), {})
    outputs = run_all(notebook, tmp_path)
    said = [output.evalue for output in of_type(outputs, "error")]
    assert said
    assert [text for text in said if not re.search(r"\w+ is not written yet", text)] == []
    streams = of_type(outputs, "stream")
    assert [stream.text for stream in streams if stream.name == "stderr"] == []
