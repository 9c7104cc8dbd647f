"""Runs a cell as a kernel would, in this process, and says what became of it."""

import asyncio
import contextlib
import io
import time
from typing import Any, TypeAlias

from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

Record: TypeAlias = dict[str, Any]  # one cell's outcome, see `Runner.run`
_MOST_OUTPUT = 2_000  # characters that are kept of what a cell prints


class _Output(io.StringIO):
    """Keeps the first `most` characters that a cell prints."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self.most = most

    def write(self, text: str) -> int:
        room = self.most - self.tell()
        if room > 0:
            super().write(text[:room])
        return len(text)

    def close(self) -> None:
        """Stay open: closing a kernel's output ends nothing either."""


class _Shell(InteractiveShell):
    """A shell that keeps the errors that a kernel would have put into the notebook."""

    def init_shell(self) -> None:
        self.errors: list[BaseException] = []
        self.exit_asked = False

    def quieten(self) -> None:
        """Leave out the drawing of tracebacks: it takes longer than most test cells."""
        self.errors, self.exit_asked = [], False
        vars(self.InteractiveTB)["structured_traceback"] = lambda *args, **kwargs: []

    def _showtraceback(self, etype: Any, evalue: BaseException, stb: list[str]) -> None:
        self.errors.append(evalue)

    def ask_exit(self) -> None:
        self.exit_asked = True


class Runner:
    """The lesson's namespace, and how one cell is run in it."""

    def __init__(self) -> None:
        config = Config()
        config.HistoryManager.enabled = False  # it keeps a thread, which no fork survives
        self.shell = _Shell.instance(config=config)
        self.shell.quieten()
        self.loop = asyncio.new_event_loop()
        self.codes: dict[str, str | None] = {}  # of the reference's cells, for every try
        self.labels: dict[str, str] = {}  # of the file names that cells are compiled under

    def run(self, label: str, source: str) -> Record:
        """Run one cell as a kernel does: inside a running event loop."""
        shell = self.shell
        shell.errors.clear()
        code = self._code(source)
        name = shell.compile.get_code_name(source, code or source, shell.execution_count)
        self.labels[name] = label
        out = _Output(_MOST_OUTPUT)
        started, cpu = time.perf_counter(), time.process_time()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
            try:
                self.loop.run_until_complete(self._in_loop(source, code))
            except Exception as error:  # IPython's own, such as over an exception without a text
                shell.errors.append(error)
        record: Record = {"label": label, "state": "passed", "output": out.getvalue()}
        record["seconds"] = time.perf_counter() - started
        record["cpu"] = time.process_time() - cpu
        if shell.errors:
            record |= {"state": "failed"} | self._described(shell.errors[0])
        return record

    def _code(self, source: str) -> str | None:
        """The Python of a cell; None for a cell that raises once it is run."""
        if source not in self.codes:
            try:
                self.codes[source] = self.shell.transform_cell(source)
            except Exception:
                self.codes[source] = None
        return self.codes[source]

    async def _in_loop(self, source: str, code: str | None) -> None:
        shell = self.shell
        if code is None:
            result = shell.run_cell(source, store_history=True)
        else:
            result = await shell.run_cell_async(source, store_history=True, transformed_cell=code)
            shell.events.trigger("post_execute")
            shell.events.trigger("post_run_cell", result)
        error = result.error_before_exec or result.error_in_exec
        if error is not None and not shell.errors:  # raised, but not shown as an error
            shell.errors.append(error)

    def _described(self, error: BaseException) -> Record:
        """What was raised, in which cell, and whether a library raised it there."""
        frames = []
        trace = error.__traceback__
        while trace is not None:
            frames.append((trace.tb_frame.f_code.co_filename, trace.tb_frame.f_globals))
            trace = trace.tb_next
        cells = [self.labels[name] for name, _ in frames if name in self.labels]
        last = frames[-1] if frames else ("", {})
        module = "" if last[0] in self.labels else str(last[1].get("__name__", ""))
        return {
            "error": type(error).__name__,
            "message": _text(error)[:2_000],
            "raised_in": cells[-1] if cells else "",
            "module": module,
        }

    def empty(self) -> None:
        """Forget every name of the notebook, as a new kernel would."""
        self.shell.reset(new_session=True)
        self.shell.quieten()


def _text(error: BaseException) -> str:
    try:
        return str(error)
    except Exception as failure:  # a student's own exception class
        return f"<no text: its __str__ raised {type(failure).__name__}>"
