"""`tito machine` and `tito trace`: the lab's instruments from a terminal.

Parses and prints; everything is measured, counted and drawn by tinytorch.lab. Imports stand
inside the commands, as in cli.
"""

from __future__ import annotations

import json as json_format
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tinytorch.course.project import CourseError

if TYPE_CHECKING:
    from tinytorch.lab.cache_model import CacheModel, CacheReport
    from tinytorch.lab.trace import Trace

PngFile = Annotated[Path | None, typer.Option(help="Write the picture to this file.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON in place of sentences.")]

# What each kernel is called with: matrices A and B, a vector b, scales, and the block size.
_LOOPS = {"naive": "ijk", "ikj": "ikj", "blocked": "blocked"}
_PRODUCTS = {
    "matmul_baseline": "AB",
    "cache_friendly_matmul": "AB#",
    "quantized_matmul": "ABss",
    "compiled_matmul": "AB",
    "compiled_quantized_matmul": "ABss",
    "fused_linear_relu": "ABb",
    "sparse_matmul": "AB",
}
_OTHERS = {
    "vectorized_relu": "A",
    "vectorized_operations": "AB",
    "parallel_relu": "A",
    "quantized_relu": "As",
    "compiled_relu": "A",
}


def machine(
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Measure again, in place of showing today's report.")
    ] = False,
    png: PngFile = None,
    json: AsJson = False,
) -> None:
    """Show this computer: cores, caches, libraries, and its measured peaks."""
    from tinytorch.lab.machine import machine_report

    with _waiting("looking, and measuring unless that was done today (under 20 seconds)"):
        report = machine_report(fresh)
    if json:
        told = report.as_json() | {"float32_operations_per_byte": report.balance()}
        print(json_format.dumps(told, indent=2))
    else:
        print("\n".join(report.lines()))
    if png is not None:
        _draw(png, lambda: _plots("machine_plots").draw_machine(report, png=png), quiet=json)


def trace(
    kernel: Annotated[
        str | None,
        typer.Argument(
            help="naive, ikj, blocked (loops), or a kernel of tinytorch.core.kernels. A product is "
            "shown beside naive. Default: the loops and cache_friendly_matmul."
        ),
    ] = None,
    size: Annotated[int, typer.Option(help="Rows and columns of the matrices.", min=1, max=64)] = (
        32
    ),
    block: Annotated[int, typer.Option(help="Rows and columns of a tile.", min=1)] = 8,
    png: PngFile = None,
    json: AsJson = False,
) -> None:
    """Count a kernel's cache misses in a simulated cache: the same on every computer."""
    from tinytorch.lab.cache_model import CacheModel

    model = CacheModel()
    with _waiting("tracing"):
        runs = {name: _traced(name, size, block) for name in _chosen(kernel)}
        reports = {name: model.run(run) for name, run in runs.items()}
    rows = {name: _counted(name, run, reports[name], block) for name, run in runs.items()}
    if json:
        told = {"size": size, "block": block, "cache": str(model), "kernels": rows}
        print(json_format.dumps(told, indent=2))
    else:
        _print_rows(rows, model, size, block)
    if png is not None:
        _draw(png, lambda: _plots("trace_plots").miss_maps(runs, model, png=png), quiet=json)


def _chosen(kernel: str | None) -> list[str]:
    if kernel is None:
        return [*_LOOPS, "cache_friendly_matmul"]
    known = [*_LOOPS, *_PRODUCTS, *_OTHERS]
    if kernel not in known:
        raise CourseError(f"There is no {kernel!r} to trace, but {', '.join(known)}.")
    return [kernel] if kernel == "naive" or kernel in _OTHERS else ["naive", kernel]


def _traced(name: str, size: int, block: int) -> Trace:
    import numpy as np

    from tinytorch.lab import loop_orders
    from tinytorch.lab.trace import trace as run

    rng = np.random.default_rng(0)
    A, B = rng.standard_normal((2, size, size)).astype(np.float32)
    given: dict[str, Any] = {"A": A, "B": B, "b": A[0].copy(), "s": 0.05, "#": block}
    if name in _LOOPS:
        return run(getattr(loop_orders, _LOOPS[name]), A, B, *[block] * (name == "blocked"))
    try:
        from tinytorch.core import kernels

        function = getattr(kernels, name)
    except (ImportError, AttributeError) as error:
        raise CourseError(f"{error}. Run `tito build` to export the kernels.") from None
    try:
        return run(function, *(given[letter] for letter in (_PRODUCTS | _OTHERS)[name]))
    except NotImplementedError as error:
        raise CourseError(
            f"{name} cannot be traced: it works on vector registers, which have no Python form "
            f"({error})."
        ) from None


def _counted(name: str, run: Trace, report: CacheReport, block: int) -> dict[str, Any]:
    """What is told of one kernel. working_set: distinct elements, see `_print_rows`."""
    from tinytorch.lab.trace import WORKSPACE, working_set

    kind = "product" if any(step.kind == "product" for step in run.steps) else None
    touched = working_set(run, 4 * block**3) if name in _LOOPS else working_set(run)
    if kind and name not in _LOOPS:
        touched = touched[[step.kind == kind for step in run.steps]]
    return {
        "accesses": len(run),
        "hits": report.hits,
        "misses": report.misses,
        "in_temporaries": report.by_array[WORKSPACE].misses if WORKSPACE in run.arrays else 0,
        "first_touches": report.compulsory,
        "working_set": int(touched.max()) if touched.size else None,
        "too_large": report.too_large,
        "by_array": {array: counts._asdict() for array, counts in report.by_array.items()},
    }


def _print_rows(rows: dict[str, dict[str, Any]], model: CacheModel, size: int, block: int) -> None:
    """A table, and what stands in its columns."""
    print(f"matrices of {size} x {size}, tiles of {block} x {block}; simulated cache: {model}\n")
    heads = ("accesses", "hits", "misses", "in temporaries", "first touches", "working set")
    print(f"{'kernel':<26}" + "".join(f"{head:>15}" for head in heads))
    for name, row in rows.items():
        values = (row[head.replace(" ", "_")] for head in heads)
        print(f"{name:<26}" + "".join(f"{'-' if v is None else f'{v:,}':>15}" for v in values))
    print(
        "\nin temporaries: misses in copies and intermediate results. first touches: misses that\n"
        "no cache avoids. working set: the most elements touched by one operation on slices;\n"
        f"of loops, by the {4 * block**3:,} accesses that make a tile."
    )
    first, *_, last = [*rows, *rows]
    if first != last:
        before, after = (rows[n]["misses"] - rows[n]["in_temporaries"] for n in (first, last))
        word = (
            f"{before / max(1, after):.3g} times fewer than" if after < before else "no fewer than"
        )
        print(f"In A, B and C, {last} misses {after:,} times, {word} {first} with {before:,}.")
    large = [name for name, row in rows.items() if row["too_large"]]
    if large:
        print(
            f"Some products of {' and '.join(large)} do not fit into the cache: a trace has each "
            "operand once, so their real misses are more."
        )


def _waiting(what: str) -> Any:
    """A moving sign where a person looks on; stderr, so that stdout is the answer alone."""
    from contextlib import nullcontext

    from rich.console import Console

    if not sys.stderr.isatty():
        return nullcontext()
    return Console(stderr=True).status(what)


def _plots(name: str) -> Any:
    import importlib

    import matplotlib

    matplotlib.use("agg")  # a file needs no display
    return importlib.import_module(f"tinytorch.lab.{name}")


def _draw(png: Path, draw: Callable[[], None], quiet: bool) -> None:
    try:
        draw()
    except ImportError as error:
        raise CourseError(f"{error}: pip install 'tinytorch-kernels[lab]' for pictures.") from None
    except ValueError as error:  # a file name whose ending is no picture's
        raise CourseError(f"{png} was not written: {error}") from None
    finally:
        if pyplot := sys.modules.get("matplotlib.pyplot"):
            pyplot.close("all")  # one that could not be written is still open
    if not quiet:
        print(f"written to {png}")
