"""`tito bench`: the kernels against what a user would call instead. Above 1 the kernel is faster.

Starts one process per number of threads and one that measures memory, prints every row as it
comes, and writes all readings to a file. What is raced stands in `cases`.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks import report
from benchmarks.worker import THREAD_VARIABLES
from tinytorch.lab.machine import cores, describe

RESULTS = Path(__file__).parent / "results" / "latest.json"
ROUNDS, QUICK_ROUNDS = 20, 3
BLOCK, QUICK_BLOCK = 0.02, 0.008  # seconds


def main() -> int:
    parser = _parser()
    options = parser.parse_args()
    if shown := options.picture_only or options.markdown:
        record = _read(parser, shown)
        if options.picture_only:
            _draw(record, options.picture or shown.with_suffix(".png"))
        else:
            print(report.markdown(record))
        return 0
    rounds = options.rounds or (QUICK_ROUNDS if options.quick else ROUNDS)
    if rounds < 2:
        parser.error(f"--rounds must be at least 2, got {rounds}")
    record = _race(rounds, options.quick, options.only)
    _print_end(record)
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_text(json.dumps(record, indent=None) + "\n")
    print(f"\nreadings: {options.output}")
    _draw(record, options.picture or options.output.with_suffix(".png"))
    return 1 if report.failures(record) else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="tito bench", description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, help=f"per case, at least 2 (default {ROUNDS})")
    quick = f"the table's rows only, {QUICK_ROUNDS} rounds: under a minute"
    parser.add_argument("--quick", action="store_true", help=quick)
    parser.add_argument("--only", default="", help="kernels whose name contains this")
    parser.add_argument("--output", type=Path, default=RESULTS, help="where the readings go")
    parser.add_argument("--picture", type=Path, help="where the picture goes; beside the readings")
    parser.add_argument("--picture-only", type=Path, metavar="FILE", help="draw FILE's readings")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="print FILE's tables")
    return parser


def environment(threads: int) -> dict[str, str]:
    """This process's environment with every library held to `threads`."""
    return dict(os.environ) | dict.fromkeys(THREAD_VARIABLES, str(threads))


def _race(rounds: int, quick: bool, only: str) -> dict[str, Any]:
    started, counts = time.perf_counter(), sorted({1, cores()})
    record: dict[str, Any] = {
        "schema": report.SCHEMA,
        "machine": describe(),
        "rounds": rounds,
        "quick": quick,
        "settings": {},
        "peaks": {},
        "others": {},
        "rows": [],
        "memory": [],
    }
    common = ["--rounds", str(rounds), "--block", str(QUICK_BLOCK if quick else BLOCK)]
    common += ["--only", only, *["--quick"] * quick]
    print(f"{rounds} rounds, kernel and peers in turns; results checked first")
    for threads in counts:
        for message in _messages(threads, common):
            _take(record, threads, message)
    # The table's rows suffice: workspace is stated per kernel, and tests look at other shapes.
    for message in _messages(counts[-1], [*common, "--quick", "--memory"]):
        record["memory"] += [message["memory"]] if "memory" in message else []
    record["seconds"] = round(time.perf_counter() - started, 1)
    return record


def _take(record: dict[str, Any], threads: int, message: dict[str, Any]) -> None:
    """Keep what a worker says, and print it."""
    if "settings" in message:
        record["settings"][str(threads)] = message["settings"]
        told = ", ".join(f"{name} {value}" for name, value in message["settings"].items())
        print(f"\n{threads} thread{'s' * (threads > 1)} ({told})")
        print(report.line(report.COLUMNS))
    if "peaks" in message:
        record["peaks"][str(threads)] = _short(message["peaks"])
    if "others" in message:
        record["others"][str(threads)] = round(message["others"], 3)
    if "row" in message:
        record["rows"].append(_short(message["row"]))
        print(report.line(report.cells(message["row"])), flush=True)


def _messages(threads: int, arguments: list[str]) -> Iterator[dict[str, Any]]:
    """What a worker process with that many threads prints, as it comes."""
    command = [sys.executable, "-m", "benchmarks.worker", "--threads", str(threads), *arguments]
    root = Path(__file__).parents[1]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env=environment(threads), cwd=root
    ) as worker:
        assert worker.stdout is not None
        for line in worker.stdout:
            if line.startswith("{"):  # libraries print too
                yield json.loads(line)
    if worker.returncode:
        raise SystemExit(f"the process with {threads} threads ended with {worker.returncode}")


def _short(found: Any) -> Any:
    """Five digits of every reading."""
    if isinstance(found, dict):
        return {name: _short(value) for name, value in found.items()}
    if isinstance(found, list):
        return [_short(value) for value in found]
    return float(f"{found:.5g}") if isinstance(found, float) else found


def _print_end(record: dict[str, Any]) -> None:
    print("\nCost by size")
    for fit in report.fits(record):
        print(f"  {fit}")
    print("\nWorkspace beyond the output (tracemalloc, a run of its own)")
    for line in report.memory_lines(record):
        print(f"  {line}")
    print()
    for line in report.machine_lines(record):
        print(line)
    for failure in report.failures(record):
        print(f"FAILED {failure}")


def _read(parser: argparse.ArgumentParser, path: Path) -> dict[str, Any]:
    try:
        record = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        parser.error(f"{path} holds no results: {error}")
    if not isinstance(record, dict) or record.get("schema") != report.SCHEMA:
        parser.error(f"{path} holds no results of this version (schema {report.SCHEMA})")
    return record


def _draw(record: dict[str, Any], path: Path) -> None:
    try:
        from benchmarks.picture import draw
    except ImportError:
        print("no picture: pip install 'tinytorch-kernels[lab]'")
        return
    if draw(record, path):
        print(f"picture:  {path}")


if __name__ == "__main__":
    sys.exit(main())
