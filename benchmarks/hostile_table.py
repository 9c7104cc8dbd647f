"""What hostile submissions gain, by engine, as a table in Markdown.

    python -m benchmarks.hostile_table [--write FILE] [--engines judged,plain] [SLUG ...]

Every entry of tests/submissions/hostile is handed in to a throwaway copy of the course and graded
in a sandbox; those that are safe without one also with code and tests in one kernel, and by plain
nbgrader. Each runs in a process of its own. No entry that needs a sandbox ever runs outside one.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tests import hostile_runs
from tinytorch.course.hostile import Attack, hostile_folder, read_attacks
from tinytorch.course.project import Project
from tinytorch.course.release import release

ENGINES = ("judged", "one kernel", "plain")
_COPIED = ("modules", "tinytorch", "nbgrader_config.py", "settings.ini", "pyproject.toml")
_PATIENCE = 900  # seconds for one submission with one engine


def throwaway_course(project: Project, root: Path) -> Project:
    """Build and release a copy of the course that attacks may spoil."""
    original = root / "released"
    original.mkdir(parents=True)
    ignore = shutil.ignore_patterns("__pycache__", ".*", "*.ipynb", "kernels.py")
    for name in (*_COPIED, "constraints.txt"):
        source = project.root / name
        if source.is_dir():
            shutil.copytree(source, original / name, ignore=ignore)
        else:
            shutil.copyfile(source, original / name)
    release(Project(original), hostile_runs.ASSIGNMENT)
    return Project(original)


def measure(released: Project, attack: Attack, engine: str, repo: Path) -> str:
    """A cell of the table: the points, or why there are none."""
    if engine != "judged" and not attack.safe:
        return "not run"
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        project = hostile_runs.throwaway(released, Path(name) / "course")
        hostile_runs.hand_in_anew(project, attack, "attacker")
        before = hostile_runs.fingerprint(project)
        said = _run(project, engine, repo)
        touched = sorted(
            path
            for path, digest in before.items()
            if hostile_runs.fingerprint(project).get(path) != digest
        )
    points, why = said["points"], said["why"]
    cell = f"{points:g}" if points is not None else "none"
    first = (why or "").strip().split("\n")[0][:100]  # the first words of what it says
    remarks = [first] if first and first != "graded" else []
    remarks += [f"changed {path}" for path in touched[:2]]
    return cell + (f" ({'; '.join(remarks)})" if remarks else "")


def _run(project: Project, engine: str, repo: Path) -> dict:
    # A plain kernel finds the course as an instructor's would: in the course folder.
    paths = [project.root, repo] if engine == "plain" else [repo]
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join(map(str, paths)),
        "HOSTILE_CANARY": "canary",
    }
    words = ["-m", "benchmarks.hostile_engines", str(project.root), "attacker", engine]
    try:
        done = subprocess.run(
            [sys.executable, *words],
            cwd=project.root,
            env=environment,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_PATIENCE,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return {"points": None, "why": f"no end within {_PATIENCE} s"}
    last = (done.stdout.strip().splitlines() or [""])[-1]
    try:
        return json.loads(last)
    except ValueError:
        return {"points": None, "why": f"the grader itself ended, exit code {done.returncode}"}


def table(rows: list[tuple[Attack, list[str]]], engines: list[str]) -> str:
    """The table in Markdown, by class."""
    lines = [
        "| class | entry | attack | " + " | ".join(engines) + " |",
        "|---|---|---|" + "---|" * len(engines),
    ]
    for attack, cells in sorted(rows, key=lambda row: (row[0].kind, row[0].slug)):
        told = [attack.kind, f"`{attack.slug}`", attack.about, *cells]
        lines.append("| " + " | ".join(text.replace("|", "\\|") for text in told) + " |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Measure, and print or write the table."""
    parser = argparse.ArgumentParser(description="What hostile submissions gain, by engine.")
    parser.add_argument("slugs", nargs="*", help="entries, by default all")
    parser.add_argument("--engines", default=",".join(ENGINES), help="separated by commas")
    parser.add_argument("--write", type=Path, help="a file for the table, by default stdout")
    given = parser.parse_args()
    engines = given.engines.split(",")
    repo = Path(__file__).resolve().parents[1]
    attacks = read_attacks(hostile_folder(Project(repo)))
    chosen = [attack for attack in attacks if not given.slugs or attack.slug in given.slugs]
    rows = []
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        released = throwaway_course(Project(repo), Path(name))
        for attack in chosen:
            cells = [measure(released, attack, engine, repo) for engine in engines]
            rows.append((attack, cells))
            print(f"{attack.slug}: {', '.join(cells)}", file=sys.stderr, flush=True)
    text = table(rows, engines)
    if given.write:
        given.write.write_text(text, encoding="utf-8")
    else:
        print(text)


if __name__ == "__main__":
    main()
