"""The student's door, for real: the kit in JupyterLab in Chromium, clicked and typed at.

Without a Chromium these tests are skipped; where BROWSER_TESTS=required they fail instead, so that
a machine that checks everything cannot leave them out unseen.
"""

import os
import shutil
from functools import partial
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from tinytorch.course.kit import unpack_kit
from tinytorch.course.project import Project

REQUIRED = os.environ.get("BROWSER_TESTS") == "required"
if not REQUIRED:  # else a missing playwright is an error
    pytest.importorskip("playwright", reason="playwright is not installed")

from tests.browser import chromium, jupyterlab, notebook_page  # noqa: E402 - only where it can be

NOTEBOOK = "modules/source/11_kernels/kernels_dev.ipynb"
FILM = """
import numpy as np
from tinytorch.lab.trace import trace
from tinytorch.lab.trace_plots import access_film

def i_j_k(A, B):
    C = np.zeros((len(A), B.shape[1]), A.dtype)
    for i in range(len(A)):
        for j in range(B.shape[1]):
            for p in range(len(B)):
                C[i, j] += A[i, p] * B[p, j]
    return C

A, B = np.ones((2, 8, 8), np.float32)
access_film({"three loops": trace(i_j_k, A, B)}, frames=4)
"""
LEFT = {"x": 5, "y": 5}  # in a slider: its first value
COMPARISON = """
from tinytorch.lab.comparison import compare
compare({"whole": lambda: A @ B, "twice": lambda: A @ B @ B})
"""


@pytest.fixture(scope="module")
def folder(released: Project) -> Path:
    """The kit, unpacked as a student has it."""
    if chromium() is None:
        missing = "no Chromium on this machine ($CHROMIUM, or chromium on PATH)"
        (pytest.fail if REQUIRED else pytest.skip)(missing)
    return unpack_kit(released, "11_kernels", fresh=True)


@pytest.fixture(scope="module")
def lab(folder, tmp_path_factory):
    """The address of a JupyterLab in that folder, in a home that has never seen one."""
    with jupyterlab(folder, tmp_path_factory.mktemp("home")) as address:
        yield address


def test_a_first_answer_is_typed_tested_and_measured(lab, folder):
    with notebook_page(lab, NOTEBOOK) as page:
        answer = page.run_until("def matmul_baseline(")
        answer.locator(".cm-line", has_text="raise NotImplementedError").click()
        page.run()
        test = page.run_until("def check_matmul_baseline(")
        page.run()
        assert "matmul_baseline is not written yet" in page.output(test).inner_text()

        page.select(answer)
        page.retype(answer, "raise NotImplementedError", "return Tensor(matmul(A, B))")
        page.run()
        test = page.run_until("def check_matmul_baseline(")
        before = page.number(test)
        page.run()
        assert page.number(test) > before  # it ran once more, and says nothing: it passed
        assert page.output(test).count() == 0 or page.output(test).inner_text() == ""

        guess = page.run_until("my_guess = None  # how many times faster than three Python loops")
        page.retype(guess, "my_guess = None", "my_guess = 100")
        page.run()
        experiment = page.run_until("def three_loops(")
        page.run()
        picture = page.output(experiment).locator("img")
        assert picture.evaluate("picture => picture.naturalWidth") > 400
        page.save()
    cells = {cell.id: cell for cell in nbformat.read(folder / NOTEBOOK, as_version=4).cells}
    assert "return Tensor(matmul(A, B))" in cells["matmul_baseline"].source
    paired = (folder / NOTEBOOK).with_suffix(".py").read_text(encoding="utf-8")
    assert "    return Tensor(matmul(A, B))\n" in paired


def test_run_all_of_an_untouched_notebook_reaches_the_end(lab, folder, released):
    copy = Path(NOTEBOOK).with_name("untouched.ipynb")
    shutil.copyfile(released.release / "11_kernels" / "kernels_dev.ipynb", folder / copy)
    with notebook_page(lab, str(copy)) as page:
        page.run_all(timeout=400_000)
        page.save()
    cells = [c for c in nbformat.read(folder / copy, as_version=4).cells if c.cell_type == "code"]
    assert [cell.source for cell in cells if cell.execution_count is None] == []
    said = [o.evalue for cell in cells for o in cell.outputs if o.output_type == "error"]
    assert said and all(text.endswith("is not written yet") for text in said)


def test_the_film_goes_on_by_its_slider_and_a_comparison_is_a_table(lab, folder):
    cells = [new_code_cell(FILM.strip()), new_code_cell(COMPARISON.strip())]
    spec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    notebook = new_notebook(cells=cells, metadata={"kernelspec": spec})
    nbformat.write(notebook, folder / "film.ipynb")
    with notebook_page(lab, "film.ipynb") as page:
        page.select_first()
        film, table = page.output(page.run()), page.output(page.run())
        slider = film.locator("input[type=range]")
        shown = [film.locator("img:visible").get_attribute("src")]
        for move in (partial(slider.press, "ArrowRight"), partial(slider.click, position=LEFT)):
            move()
            shown.append(film.locator("img:visible").get_attribute("src"))
        assert len(set(shown)) == 3
        assert table.locator("table tr").count() == 3
