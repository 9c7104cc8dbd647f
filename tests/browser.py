"""JupyterLab in Chromium, on loopback: what the browser tests and the README's pictures drive.

Chromium is the machine's own ($CHROMIUM, or what PATH has); playwright only talks to it.
"""

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Error, Locator, Page, sync_playwright

from tests.jupyter_servers import jupyter_server

WIDTH, HEIGHT = 1280, 1000  # of the window, in pixels
START = 120_000  # ms for a server, a page and a kernel to be there, on a busy machine
# A cell that runs or waits has [*] for its number. Cells out of sight have a text but show none.
_RUNNING = (
    "Array.from(document.querySelectorAll('.jp-InputPrompt'), e => e.textContent)"
    ".some(text => text.includes('*'))"
)
_INDEX = "data-windowed-list-index"
_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
# Nothing of a browser's own traffic: the machine may have no network at all.
_FLAGS = (
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def chromium() -> str | None:
    """The path of a Chromium that is installed, or None."""
    named = os.environ.get("CHROMIUM")
    return named or next(filter(None, map(shutil.which, _NAMES)), None)


@contextmanager
def jupyterlab(folder: Path, home: Path) -> Iterator[str]:
    """A JupyterLab server in `folder`; yields the address of its page, token and all.

    Kernels import the tinytorch in `folder`. home: as in `jupyter_server`.
    """
    command = (sys.executable, "-m", "jupyterlab", "--LabApp.news_url=None")
    # The variables of a student, not of a test run: pictures appear in the page.
    variables = {
        "XDG_CACHE_HOME": str(home / ".cache"),
        "PYTHONPATH": str(folder),
        "MPLBACKEND": "module://matplotlib_inline.backend_inline",
    }
    with jupyter_server(command, folder, home, **variables) as server:
        yield f"http://127.0.0.1:{server.port}/lab/tree/{{path}}?reset&token={server.token}"


@contextmanager
def started() -> Iterator[Browser]:
    """A Chromium without a page."""
    as_root = ("--no-sandbox",) if hasattr(os, "geteuid") and os.geteuid() == 0 else ()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=[*_FLAGS, *as_root])
        yield browser
        browser.close()


@contextmanager
def notebook_page(address: str, path: str) -> Iterator["NotebookPage"]:
    """A notebook of that server, open in Chromium, its kernel ready."""
    with started() as browser:
        page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT})
        page.set_default_timeout(START)
        _open(page, address.format(path=path))
        yield NotebookPage(page)


def _open(page: Page, url: str) -> None:
    """Go there as soon as the server answers, and wait until the kernel is idle."""
    for attempt in range(240):
        try:
            page.goto(url)
            break
        except Error as error:
            if "ERR_CONNECTION_REFUSED" not in str(error) or attempt == 239:
                raise
            page.wait_for_timeout(500)
    page.wait_for_selector(".jp-Notebook .jp-Cell")
    page.locator("#jp-main-statusbar").get_by_text("| Idle").wait_for()


class NotebookPage:
    """What a reader does with a notebook: go to a cell, type, run it, look at what it shows."""

    def __init__(self, page: Page) -> None:
        self.page = page
        page.keyboard.press("Control+b")  # the file browser is no part of the lesson

    @property
    def active(self) -> Locator:
        """The cell that is selected, wherever it will be later."""
        return self.page.locator(f'[data-windowed-list-index="{self._index()}"]')

    def _index(self) -> int:
        index = self.page.locator(".jp-Cell.jp-mod-active").get_attribute(_INDEX)
        return int(index or 0)

    def select(self, cell: Locator) -> None:
        """Select a cell by a click beside its text."""
        cell.locator(".jp-InputPrompt").first.click()

    def select_first(self) -> None:
        """Select the first cell."""
        self.select(self.page.locator(f"[{_INDEX}='0']"))

    def run(self) -> Locator:
        """Shift+Enter: run the selected cell, select the next. Returns the one that has run."""
        cell, before = self.active, self._index()
        self.page.keyboard.press("Shift+Enter")
        self.page.wait_for_function(
            f"before => document.querySelector('.jp-mod-active').getAttribute('{_INDEX}')"
            " !== String(before)",
            arg=before,
        )
        self.wait_done()
        return cell

    def run_until(self, text: str) -> Locator:
        """Run from the selected cell on until the next one to run holds `text`; return that one."""
        for _ in range(400):
            if text in (self.active.text_content() or ""):
                return self.active
            self.run()
        raise AssertionError(f"no cell below holds {text!r}")

    def retype(self, cell: Locator, old: str, text: str) -> None:
        """Click on the line of a cell that holds `old`, and replace it but for its indentation."""
        cell.locator(".cm-line", has_text=old).first.click()
        for key in ("End", "Shift+Home"):
            self.page.keyboard.press(key)
        self.page.keyboard.insert_text(text)

    def output(self, cell: Locator) -> Locator:
        """What a cell has shown."""
        return cell.locator(".jp-Cell-outputArea")

    def number(self, cell: Locator) -> int:
        """The number that a cell got when it last ran."""
        return int((cell.locator(".jp-InputPrompt").text_content() or "").strip("[]: \n") or 0)

    def save(self) -> None:
        """Write the notebook to its file."""
        self.page.keyboard.press("Control+s")
        self.page.wait_for_selector(".jp-NotebookPanel.jp-mod-dirty", state="detached")
        self.page.wait_for_timeout(1_000)

    def run_all(self, timeout: float) -> None:
        """Run > Run All Cells, as the menu has it; wait until it is over."""
        self.page.get_by_role("menuitem", name="Run", exact=True).click()
        self.page.locator('[data-command="runmenu:run-all"]').click()
        self.page.wait_for_function(_RUNNING)
        self.wait_done(timeout)
        # After an error JupyterLab takes the [*] away, though the kernel goes on: wait until it
        # has been idle for longer than it is between two cells.
        self.page.wait_for_function(
            "() => { const idle = document.querySelector('#jp-main-statusbar')"
            ".textContent.includes('| Idle');"
            "const now = Date.now(); if (!idle || !window.idleSince) window.idleSince = now;"
            "return idle && now - window.idleSince > 3000 }",
            timeout=timeout,
            polling=100,
        )

    def wait_done(self, timeout: float = START) -> None:
        """Wait until no cell runs or waits for its turn."""
        self.page.wait_for_function(f"!{_RUNNING}", timeout=timeout)
