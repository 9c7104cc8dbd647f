"""What the commands of tito share: the assignment's argument, one console, one progress bar."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.console import Console

Assignment = Annotated[
    str,
    typer.Argument(
        help="The assignment's folder, such as 11_kernels.",
        callback=lambda name: name.rstrip("/"),  # a shell completes folders with a slash
    ),
]
_SECONDS = 30.0  # between two lines of progress
Progress = Callable[[int, int, str], None]  # done, of how many, what is at work


def console() -> "Console":
    """Return a console as wide as the terminal; a pipe gets room enough to break no line."""
    from rich.console import Console

    width = None if sys.stdout.isatty() else 160
    return Console(highlight=False, width=width)


@contextmanager
def progress(console: "Console", what: str) -> Iterator[Progress]:
    """Show a bar where a person looks on; elsewhere a line on stderr every half minute."""
    if not console.is_terminal:
        said = time.monotonic()

        def write(done: int, total: int, name: str) -> None:
            nonlocal said
            if time.monotonic() - said > _SECONDS:
                said = time.monotonic()
                words = filter(None, (f"{what}: {done} of {total}", name))
                print(", ".join(words), file=sys.stderr, flush=True)

        yield write
        return
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )
    from rich.progress import Progress as Bars

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    times = (TimeElapsedColumn(), TextColumn("left"), TimeRemainingColumn())
    with Bars(*columns, *times, console=console, transient=True) as bars:
        task = bars.add_task(what, total=None)

        def follow(done: int, total: int, name: str) -> None:
            bars.update(task, completed=done, total=total, description=f"{what} {name}")

        yield follow
