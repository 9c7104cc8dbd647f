"""Makes the README's pictures: the notebook in JupyterLab, the lab's measurements, the digits run.

Needs Chromium (`make browser`). From the course's root, on a quiet machine, with one BLAS thread
so that pictures compare kernels and not numbers of threads:
`OPENBLAS_NUM_THREADS=1 .venv/bin/python -m docs.make_pictures`.
"""

import tempfile
import zipfile
from pathlib import Path

import numpy as np

import tinytorch.core.kernels as kernels
from tests.browser import NotebookPage, jupyterlab, notebook_page
from tests.matrix_products import ijk
from tinytorch.course.project import Project
from tinytorch.course.release import release
from tinytorch.lab.cache_ladder import cache_ladder
from tinytorch.lab.cache_ladder_plots import draw_cache_ladder
from tinytorch.lab.digits_run import run_digits
from tinytorch.lab.ladder_plots import draw_ladder
from tinytorch.lab.roofline import measure_roofline
from tinytorch.lab.roofline_plots import draw_roofline
from tinytorch.lab.speed_ladder import measure_ladder
from tinytorch.lab.trace import trace
from tinytorch.lab.trace_plots import miss_maps

ASSIGNMENT = "11_kernels"
DOCS = Path(__file__).resolve().parent


def lab_pictures() -> None:
    """What the lab finds out about this machine, with the reference's kernels."""
    draw_cache_ladder(cache_ladder(), png=DOCS / "cache_ladder.png")
    draw_roofline(measure_roofline(kernels), png=DOCS / "roofline.png")
    draw_ladder(measure_ladder(kernels), png=DOCS / "ladder.png")
    A, B = np.random.default_rng(0).standard_normal((2, 32, 32), dtype=np.float32)
    runs = {
        "three loops": trace(ijk, A, B),
        "tiles of 8 by 8": trace(kernels.cache_friendly_matmul, A, B, block_size=8),
    }
    miss_maps(runs, png=DOCS / "misses.png")


def notebook_picture() -> None:
    """A student's notebook after the first answer, guess and experiment."""
    with tempfile.TemporaryDirectory() as scratch:
        home, unpacked = Path(scratch, "home"), Path(scratch, "kit")
        home.mkdir()
        with zipfile.ZipFile(release(Project.find(DOCS), ASSIGNMENT).kit) as kit:
            kit.extractall(unpacked)
        (folder,) = unpacked.iterdir()
        path = f"modules/source/{ASSIGNMENT}/kernels_dev.ipynb"
        with jupyterlab(folder, home) as address, notebook_page(address, path) as notebook:
            _first_experiment(notebook)
            notebook.page.screenshot(path=DOCS / "notebook.png")


def _first_experiment(notebook: NotebookPage) -> None:
    answer = notebook.run_until("def matmul_baseline(")
    notebook.retype(answer, "raise NotImplementedError", "return Tensor(matmul(A, B))")
    notebook.run()
    guess = notebook.run_until("my_guess = None  # how many times faster than three Python loops")
    said = "my_guess = 100  # times faster than three Python loops, at n = 64"
    notebook.retype(guess, "my_guess = None", said)
    experiment = notebook.run_until("def three_loops(")
    notebook.run()
    refuse = notebook.page.get_by_role("button", name="No", exact=True)
    if refuse.count():  # "get notified about official Jupyter news?", asked only once
        refuse.click()
    experiment.evaluate("cell => cell.scrollIntoView({block: 'end'})")
    notebook.page.mouse.move(0, 0)
    notebook.page.wait_for_timeout(1_000)


def main() -> None:
    """Write every picture that the README shows, but for the race's (`tito bench`)."""
    lab_pictures()
    print(run_digits(kernels, DOCS / "digits.png"))
    notebook_picture()
    print(f"made the pictures in {DOCS}")


if __name__ == "__main__":
    main()
