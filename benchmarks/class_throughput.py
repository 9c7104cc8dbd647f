"""Submissions a minute: `tito grade` beside nbgrader's own loop, on the same class, in one run.

    python -m benchmarks.class_throughput [--students 100] [--chunk 50] [--folder DIR] [--dask]

Every student answers each question with an entry of the corpus (7 of 10 right) or not at all. The
class is graded in chunks; each chunk by every engine, in an order that turns, so that a computer
that gets slower gets slower for all. Compared are the medians of the chunks' ratios. The engines:

    nbgrader    nbgrader autograde, tests and answers in one kernel (submissions trusted)
    tito        tito grade, judge and sandbox, with as many workers as it takes by itself
    tito 1, 2   the same with one and with two workers
    dask 2      the same by a Dask cluster of two worker processes on this computer
"""

import argparse
import json
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from contextlib import ExitStack
from pathlib import Path

from benchmarks.class_simulation import ASSIGNMENT, ROOT, course_of
from tinytorch.course.corpus import Entry, corpus_folder, read_corpus
from tinytorch.course.project import Project
from tinytorch.course.records import Records
from tinytorch.course.submissions import hand_in

BIN = Path(sys.executable).parent
RIGHT, WRONG = 0.7, 0.2  # of a student's answers; the others stay empty
# These never end, or only after seconds: what they take is a limit, not an engine.
ENDLESS = ("endless", "deadlock", "sleep", "while True", "recursion")
PLAN = {
    "nbgrader": [BIN / "nbgrader", "autograde", ASSIGNMENT, "--JudgedExecute.trust_submissions=1"],
    "tito": [BIN / "tito", "grade", ASSIGNMENT],
    "tito 1": [BIN / "tito", "grade", ASSIGNMENT, "--workers", "1"],
    "tito 2": [BIN / "tito", "grade", ASSIGNMENT, "--workers", "2"],
}


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--students", type=int, default=100)
    parser.add_argument("--chunk", type=int, default=50)
    parser.add_argument("--folder", type=Path, help="keep the courses and the figures here")
    parser.add_argument("--dask", action="store_true", help="needs the extra `cluster`")
    options = parser.parse_args()
    with ExitStack() as stack:
        folder = options.folder or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        engines = dict(PLAN)
        if options.dask:
            address = stack.enter_context(cluster())
            engines["dask 2"] = [BIN / "tito", "grade", ASSIGNMENT, "--scheduler", address]
        taken, split = measure(folder, engines, options.students, options.chunk)
        (folder / "throughput.json").write_text(json.dumps({"taken": taken, "split": split}))
        print("\n".join(report(taken, split, options.students)))


def cluster():
    """A scheduler with two workers of one thread each; its address while it is open."""
    from contextlib import contextmanager

    from distributed import LocalCluster

    @contextmanager
    def started():
        with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as local:
            yield local.scheduler_address

    return started()


def measure(folder: Path, engines: dict[str, list], students: int, chunk: int):
    """Seconds of each engine for each chunk, and what the records say of the parts."""
    courses = {}
    for name in engines:
        root = folder / name.replace(" ", "_")
        root.mkdir(parents=True)
        if courses:
            shutil.copytree(next(iter(courses.values())).root, root, dirs_exist_ok=True)
            courses[name] = Project(root)
        else:
            courses[name] = course_of(root)
    answers = class_of(courses["nbgrader"], students)
    taken: dict[str, list[float]] = {name: [] for name in engines}
    split: dict[str, list[float]] = defaultdict(list)
    for number, first in enumerate(range(0, students, chunk)):
        present = {f"s{n:03}": answers[n] for n in range(first, min(first + chunk, students))}
        turned = list(engines)[number % len(engines) :] + list(engines)[: number % len(engines)]
        for name in turned:
            project = courses[name]
            shutil.rmtree(project.submitted, ignore_errors=True)
            for student, given in present.items():
                hand_in(project, ASSIGNMENT, student, given, base="stubs")
            begun = time.perf_counter()
            done = subprocess.run(
                list(map(str, engines[name])), cwd=project.root, capture_output=True, text=True
            )
            taken[name].append(time.perf_counter() - begun)
            assert done.returncode == 0, f"{name}: {done.stdout[-2000:]}{done.stderr[-2000:]}"
            print(f"{first:4} {name:9} {taken[name][-1]:6.1f} s", file=sys.stderr, flush=True)
        for student in present:
            record = Records(courses["tito 1"], ASSIGNMENT).read(student)
            for part, seconds in record["seconds"].items():
                split[part].append(seconds)
    return taken, split


def class_of(project: Project, students: int) -> list[dict[str, str]]:
    """What each student answers, by grade_id; the same class every time."""
    entries: dict[str, dict[bool, list[Entry]]] = defaultdict(lambda: {True: [], False: []})
    corpus = corpus_folder(Project(ROOT))
    for entry in read_corpus(corpus, sorted(path.name for path in corpus.iterdir())):
        text = entry.slug + entry.about + entry.source
        if not any(word in text for word in ENDLESS):
            entries[entry.answer][entry.wrong].append(entry)
    chance = random.Random(0)
    return [
        {
            name: "\n\n".join([*one.before, one.source, *one.after])
            for name, kinds in entries.items()
            for drawn in [chance.random()]
            for one in [chance.choice(kinds[drawn >= RIGHT])]
            if drawn < RIGHT + WRONG
        }
        for _ in range(students)
    ]


def report(
    taken: dict[str, list[float]], split: dict[str, list[float]], students: int
) -> list[str]:
    """The table, in Markdown."""
    base = taken["nbgrader"]
    lines = [
        f"{students} submissions, {len(base)} chunks. Ratio: nbgrader's seconds by the engine's, "
        "chunk by chunk: median (least to most).",
        "",
        "| engine | seconds a submission | ratio to nbgrader |",
        "|---|---|---|",
    ]
    for name, seconds in taken.items():
        ratios = [a / b for a, b in zip(base, seconds, strict=True)]
        lines.append(
            f"| {name} | {sum(seconds) / students:.2f} | {statistics.median(ratios):.2f} "
            f"({min(ratios):.2f} to {max(ratios):.2f}) |"
        )
    lines += ["", "| seconds of a submission, one worker | median | most |", "|---|---|---|"]
    for part, seconds in split.items():
        lines.append(f"| {part} | {statistics.median(seconds):.3f} | {max(seconds):.3f} |")
    return lines


if __name__ == "__main__":
    main()
