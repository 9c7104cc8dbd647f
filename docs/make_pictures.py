"""Makes the README's pictures: a student's notebook in JupyterLab, and the digits run.

Needs Chromium and `pip install playwright` (see CHROMIUM). Run from the course's root, with one
BLAS thread so that the digits compare kernels and not numbers of threads:
`OPENBLAS_NUM_THREADS=1 .venv/bin/python docs/make_pictures.py`.
"""

import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
import zipfile
from pathlib import Path

import jupytext
import nbformat
from nbclient import NotebookClient
from playwright.sync_api import Page, sync_playwright

import tinytorch.core.kernels as kernels
from tinytorch.course.project import Project
from tinytorch.course.release import release
from tinytorch.course.submissions import reference_answers
from tinytorch.lab.digits_run import run_digits

ASSIGNMENT = "11_kernels"
DOCS = Path(__file__).resolve().parent
CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or "chromium"
LAST_CELL = "bars(times"  # the student has come this far: the first experiment's picture


def student_folder(scratch: Path) -> Path:
    """A kit in which the first answer is filled, guessed and measured."""
    project = Project.find(DOCS)
    with zipfile.ZipFile(release(project, ASSIGNMENT).kit) as kit:
        kit.extractall(scratch)
    (folder,) = scratch.iterdir()
    path = folder / "modules/source" / ASSIGNMENT / "kernels_dev.ipynb"
    notebook = nbformat.read(path, as_version=4)
    answers = reference_answers(project.notebook(ASSIGNMENT))
    end = next(i for i, cell in enumerate(notebook.cells) if LAST_CELL in cell.source) + 1
    for cell in notebook.cells[:end]:
        if cell.metadata.get("nbgrader", {}).get("grade_id") == "matmul_baseline":
            cell.source = answers["matmul_baseline"]
        cell.source = cell.source.replace("my_guess = None", "my_guess = 100", 1)
    done = nbformat.from_dict(dict(notebook, cells=notebook.cells[:end]))
    os.environ["PYTHONPATH"] = str(folder)
    NotebookClient(done, kernel_name="python3").execute()
    notebook.cells[:end] = done.cells
    nbformat.write(notebook, path)
    jupytext.write(notebook, path.with_suffix(".py"), fmt="py:percent")
    return folder


def screenshot(folder: Path, png: Path) -> None:
    """Open the notebook in JupyterLab on loopback and take its picture."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    token = secrets.token_hex(16)
    server = subprocess.Popen(
        [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", f"--port={port}",
         "--ServerApp.ip=127.0.0.1", f"--IdentityProvider.token={token}"],
        cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        _wait_for(f"http://127.0.0.1:{port}/api?token={token}")
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"]
            )
            page = browser.new_page(viewport={"width": 1280, "height": 1000})
            where = f"modules/source/{ASSIGNMENT}/kernels_dev.ipynb"
            page.goto(f"http://127.0.0.1:{port}/lab/tree/{where}?token={token}")
            _compose(page)
            page.screenshot(path=png)
            browser.close()
    finally:
        server.terminate()
        server.wait(timeout=20)


def _compose(page: Page) -> None:
    page.wait_for_selector(".jp-Notebook", timeout=60_000)
    page.wait_for_timeout(4_000)
    refuse = page.get_by_role("button", name="No", exact=True)
    if refuse.count():  # "get notified about official Jupyter news?", asked only once
        refuse.click()
    page.keyboard.press("Control+b")  # the file browser is no part of the lesson
    page.mouse.move(640, 600)
    picture = page.locator(".jp-OutputArea img")
    for _ in range(60):  # cells exist in the page only while they are in view
        box = picture.first.bounding_box() if picture.count() else None
        if box and box["y"] < 650:
            break
        page.mouse.wheel(0, 150)
        page.wait_for_timeout(200)
    page.wait_for_timeout(1_000)


def _wait_for(url: str) -> None:
    for _ in range(120):
        try:
            urllib.request.urlopen(url).close()
            return
        except OSError:
            time.sleep(0.5)
    raise SystemExit(f"JupyterLab did not answer at {url.partition('?')[0]}")


def main() -> None:
    """Write docs/notebook.png and docs/digits.png."""
    print(run_digits(kernels, DOCS / "digits.png"))
    with tempfile.TemporaryDirectory() as scratch:
        screenshot(student_folder(Path(scratch)), DOCS / "notebook.png")
    print(f"made {DOCS / 'notebook.png'} and {DOCS / 'digits.png'}")


if __name__ == "__main__":
    main()
