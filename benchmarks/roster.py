"""A roster of 1,000: how long formgrader's pages and `tito report` take, over HTTP and by command.

    python -m benchmarks.roster [--students 1000]

The students' submissions are copies of the reference's notebook, their records come from the tests'
stand-in for a judge, and are merged as every record is. Then a Jupyter server is started in the
course, and formgrader is asked for what its pages ask for; each time is that of the second request.
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import requests

from benchmarks.class_simulation import ASSIGNMENT, AtOnce, course_of
from tests.jupyter_servers import jupyter_server
from tinytorch.course import batch, dispatch
from tinytorch.course.project import Project
from tinytorch.course.submissions import hand_in

BIN = Path(sys.executable).parent
PAGES = {
    "Manage Assignments": "formgrader/api/assignments",
    "Manage Submissions": f"formgrader/api/submissions/{ASSIGNMENT}",
    "Manual Grading": f"formgrader/api/notebooks/{ASSIGNMENT}",
    "Manual Grading, one notebook": f"formgrader/api/submitted_notebooks/{ASSIGNMENT}/kernels_dev",
    "Manage Students": "formgrader/api/students",
}


def class_of(folder: Path, students: int) -> Project:
    """A released course with so many students, graded."""
    project = course_of(folder)
    first = hand_in(project, ASSIGNMENT, "s00000", {})
    for number in range(1, students):
        shutil.copytree(first.parent, project.submitted / f"s{number:05}" / ASSIGNMENT)
    batch.check_reference = lambda *_, **__: None
    batch.grade(
        project,
        ASSIGNMENT,
        workers=dispatch.Workers(AtOnce, 8),
        function="class_tasks:from_text",
    )
    return project


def pages(project: Project, home: Path) -> dict[str, float]:
    """Seconds of each page's request."""
    taken = {}
    with jupyter_server([BIN / "jupyter-server"], project.root, home) as server:
        session = requests.Session()
        session.trust_env = False
        session.headers["Authorization"] = f"token {server.token}"
        address = f"http://127.0.0.1:{server.port}"
        while True:
            try:
                session.get(f"{address}/api/status", timeout=60).raise_for_status()
                break
            except requests.ConnectionError:
                time.sleep(0.2)
        for name, path in PAGES.items():
            for _ in range(2):
                begun = time.perf_counter()
                session.get(f"{address}/{path}", timeout=600).raise_for_status()
                taken[name] = time.perf_counter() - begun
    return taken


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--students", type=int, default=1000)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as home:
        project = class_of(Path(folder), asked.students)
        taken = pages(project, Path(home))
        begun = time.perf_counter()
        command = [BIN / "tito", "report", ASSIGNMENT, "--csv", Path(home, "points.csv")]
        subprocess.run(command, cwd=project.root, check=True, capture_output=True)
        taken["tito report --csv"] = time.perf_counter() - begun
    print(f"{asked.students} students\n\n| page or command | seconds |\n|---|---|")
    for name, seconds in taken.items():
        print(f"| {name} | {seconds:.1f} |")


if __name__ == "__main__":
    main()
