"""The merge into PostgreSQL: a real server in a temporary folder. Run by `make postgres`."""

import os
import pwd
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest
import sqlalchemy as sql
from class_courses import (
    A,
    grade,
    graded_until_killed,
    rows,
    states,
    tiny_course,
    write_class,
)
from nbgrader.api import Gradebook

from tinytorch.course import batch, report
from tinytorch.course.build import build
from tinytorch.course.project import CourseError, Project
from tinytorch.course.release import generate

pytestmark = pytest.mark.skipif(
    not os.environ.get("TINYTORCH_POSTGRES"), reason="only `make postgres` starts a server"
)
NAMES = [f"student{n:02}" for n in range(30)]


def program(name: str) -> str:
    """Find a program of the server; Debian keeps them beside the version."""
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    path = shutil.which(name) or (str(found[-1]) if found else "")
    assert path, f"{name} is missing: on Debian, install the package postgresql"
    return path


@pytest.fixture(scope="session")
def server():
    """A server that listens on a socket alone; it refuses to run as root."""
    user = "nobody" if os.geteuid() == 0 else None
    folder = Path(tempfile.mkdtemp(prefix="postgres-", dir="/tmp"))  # a socket's path is short
    if user:
        os.chown(folder, pwd.getpwnam(user).pw_uid, -1)
    data = folder / "data"

    def run(name, *words):
        command = [program(name), *words]
        done = subprocess.run(command, user=user, cwd=folder, capture_output=True, text=True,
                              env={"PATH": os.defpath, "LC_ALL": "C.UTF-8"})  # fmt: skip
        assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"

    try:
        run("initdb", "-D", str(data), "-U", "grader", "--auth=trust", "--no-sync")
        options = f"-k {folder} -c listen_addresses='' -c fsync=off"
        run("pg_ctl", "-D", str(data), "-w", "-l", str(folder / "log"), "-o", options, "start")
        try:
            yield folder
        finally:
            run("pg_ctl", "-D", str(data), "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def course(server, repo, tmp_path, monkeypatch):
    """The tiny course with its gradebook in a database of its own."""
    monkeypatch.setattr(batch, "check_reference", lambda *_, **__: None)
    engine = sql.create_engine(
        f"postgresql+psycopg://grader@/postgres?host={server}", isolation_level="AUTOCOMMIT"
    )
    with engine.connect() as db:
        db.exec_driver_sql("DROP DATABASE IF EXISTS grades")
        db.exec_driver_sql("CREATE DATABASE grades")
    engine.dispose()
    project = tiny_course(repo, tmp_path)
    config = project.root / "nbgrader_config.py"
    url = f"postgresql+psycopg://grader@/grades?host={server}"
    config.write_text(f"{config.read_text()}\nc.CourseDirectory.db_url = {url!r}\n")
    build(project)
    generate(project, A)
    return project


def in_sqlite(course: Project, root: Path) -> Project:
    """The same course and class with nbgrader's own kind of gradebook."""
    shutil.copytree(course.root, root)
    config = root / "nbgrader_config.py"
    config.write_text("\n".join(config.read_text().splitlines()[:-1]) + "\n")
    other = Project(root)
    assert other.gradebook_url.startswith("sqlite")
    generate(other, A)
    return other


def test_the_same_rows_as_in_sqlite(course, tmp_path):
    assert not (course.root / "gradebook.db").exists()
    write_class(course, NAMES, wrong=NAMES[::4])
    (course.submitted / NAMES[1] / A / "double_dev.ipynb").write_text("{")
    other = in_sqlite(course, tmp_path / "other")
    for project in (course, other):
        grade(project)
        with Gradebook(project.gradebook_url) as book:
            found = book.find_grade("test_double", "double_dev", A, NAMES[2])
            found.manual_score, found.needs_manual_grade = 0.5, False
            book.db.commit()
        grade(project, force=True)
    assert rows(course) == rows(other) and len(rows(course)) > len(NAMES)
    told = [report.report(project, A).rows for project in (course, other)]
    assert [(r.student, r.state, r.score) for r in told[0]] == [
        (r.student, r.state, r.score) for r in told[1]
    ]


def test_what_stands_is_skipped(course):
    write_class(course, NAMES[:3])
    grade(course)
    assert set(states(grade(course)).values()) == {"skipped"}


def test_killed_it_goes_on(course, monkeypatch):
    write_class(course, NAMES)
    for at in (20, 35, 50, 65):
        graded_until_killed(course, at)
    grade(course)
    assert {row.score for row in report.report(course, A).rows} == {3}
    assert len(report.report(course, A).rows) == len(NAMES)


def test_a_server_that_is_gone_is_said(course):
    config = course.root / "nbgrader_config.py"
    config.write_text(config.read_text().replace("/grades?", "/none?"))
    write_class(course, NAMES[:1])
    with pytest.raises(CourseError, match="cannot be written to"):
        grade(course)
