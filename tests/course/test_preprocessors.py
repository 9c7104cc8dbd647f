"""One small course with a class of ill-behaved students, graded once by nbgrader's own API."""

import json
import shutil
import uuid
from pathlib import Path

import nbformat
import pytest
from class_courses import change
from nbformat.v4 import new_code_cell, new_markdown_cell
from nbgrader.api import Gradebook
from nbgrader.apps import NbGraderAPI

from tinytorch.course import reference
from tinytorch.course.clean import MISSING_ANSWER
from tinytorch.course.isolation import grading_room, named_cells
from tinytorch.course.judged_execute import JudgedExecute
from tinytorch.course.project import CourseError, Project
from tinytorch.course.release import generate
from tinytorch.course.submissions import hand_in

A = "02_three"
NAMES = ("one", "two", "three")
META = {"grade": False, "locked": False, "schema_version": 3, "solution": False, "task": False}


def cell(grade_id, source, tags=None, **flags):
    return {"grade_id": grade_id, "source": source, "tags": tags, "flags": flags}


def lesson() -> str:
    """Three answers that know nothing of each other, with 1 + 2 points each."""
    cells = [cell("setup_numpy", "import numpy as np", locked=True)]
    for value, name in enumerate(NAMES, 1):
        stub = f"def {name}():\n    ### BEGIN SOLUTION\n    return {value}\n    ### END SOLUTION"
        check = f"assert {name}() == {value}"
        hidden = f"### BEGIN HIDDEN TESTS\nassert {name}() + 1 == {value + 1}\n### END HIDDEN TESTS"
        cells += [
            cell(name, f"#| export\n{stub}", solution=True),
            cell(f"test_{name}", check, grade=True, locked=True, points=1),
            cell(f"test_{name}_hidden", hidden, grade=True, locked=True, points=2),
        ]
    cells.insert(1, cell("setup_trial", "print('tried')", ["ungraded"], locked=True))
    text = "# ---\n# jupyter:\n#   kernelspec:\n#     display_name: Python 3\n"
    text += "#     language: python\n#     name: python3\n# ---\n\n"
    text += "# %%\n#| default_exp core.kernels\n\n"
    for c in cells:
        meta = {**META, **c["flags"], "grade_id": c["grade_id"]}
        tags = f" tags={json.dumps(c['tags'])}" if c["tags"] else ""
        text += f"# %% nbgrader={json.dumps(meta, sort_keys=True)}{tags}\n{c['source']}\n\n"
    text += '# %% [markdown] nbgrader={"grade": true, "grade_id": "answer_why", "locked": false, '
    text += '"points": 5, "schema_version": 3, "solution": true, "task": false}\n'
    text += "# ### BEGIN SOLUTION\n# Because.\n# ### END SOLUTION\n"
    return text


def make_course(repo: Path, root: Path, gradebook: Path) -> Project:
    folder = root / "modules" / "source" / A
    folder.mkdir(parents=True)
    (folder / "three_dev.py").write_text(lesson())
    shutil.copyfile(repo / "modules" / "source" / "jupytext.toml", folder.parent / "jupytext.toml")
    shutil.copytree(
        repo / "tinytorch", root / "tinytorch", ignore=shutil.ignore_patterns("course", "*.npz")
    )
    shutil.copyfile(repo / "settings.ini", root / "settings.ini")
    config = (repo / "nbgrader_config.py").read_text()
    # Loops are ended sooner than in a course: nothing that ends by itself here takes a second.
    limits = "c.IsolatedExecute.timeout = 2\nc.JudgedExecute.cpu = 4\nc.JudgedExecute.call = 8\n"
    (root / "nbgrader_config.py").write_text(f"{config}\n{limits}")
    shutil.copyfile(gradebook, root / "gradebook.db")
    return Project(root)


@pytest.fixture(scope="session")
def template(repo, tmp_path_factory, empty_gradebook) -> Project:
    from tinytorch.course.build import build

    project = make_course(repo, tmp_path_factory.mktemp("three"), empty_gradebook)
    build(project)
    generate(project, A)
    return project


@pytest.fixture
def course(template, tmp_path) -> Project:
    """A released course to spoil."""
    shutil.copytree(template.root, tmp_path / "course")
    return Project(tmp_path / "course")


def read_grades(project: Project, student: str) -> dict[str, tuple]:
    """(points by the test, points by hand, whether it waits for a reader) of each graded cell."""
    with Gradebook(project.gradebook_url) as gradebook:
        grades = gradebook.find_submission_notebook("three_dev", A, student).grades
        return {g.name: (g.auto_score, g.manual_score, g.needs_manual_grade) for g in grades}


def copied(notebook, cells):
    notebook.cells.append(new_code_cell("def two(): return 2", metadata=cells["two"].metadata))
    notebook.cells.append(new_code_cell("pass", metadata=cells["test_two"].metadata))


def unmarked(notebook, cells):
    cells["test_two"].metadata.nbgrader.grade = False
    cells["test_two_hidden"].metadata.nbgrader.update(points=100, schema_version=1)
    del cells["test_three"].metadata["nbgrader"]


def removed(notebook, cells):
    gone = ("setup_numpy", "test_one", "test_two_hidden", "answer_why")
    notebook.cells = [c for c in notebook.cells if c not in [cells[name] for name in gone]]


def edited(notebook, cells):
    cells["test_one"].source = "pass"
    cells["test_two_hidden"].source = "assert True"


def skipping(notebook, cells):
    for name in ("test_one", "test_two", "test_one_hidden"):
        cells[name].metadata["tags"] = ["skip-execution", "ungraded", "raises-exception"]


def other_kernel(notebook, cells):
    notebook.metadata["kernelspec"] = {"name": "ir", "display_name": "R", "language": "R"}


def extra_cells(notebook, cells):
    notebook.cells.insert(2, new_code_cell("raise ValueError('my own experiment')"))
    notebook.cells.insert(2, new_code_cell("1/0", metadata={"tags": ["ungraded"]}))
    notebook.cells.append(new_markdown_cell("notes", metadata={"nbgrader": {"grade_id": "mine"}}))


def as_text(notebook, cells):
    cells["two"].cell_type = "markdown"
    for key in ("outputs", "execution_count"):
        cells["two"].pop(key, None)


def nameless(notebook, cells):
    for c in notebook.cells:
        c.metadata = {}


def nameless_without_ids(notebook, cells):
    nameless(notebook, cells)
    for c in notebook.cells:
        c.id = uuid.uuid4().hex[:8]


def retyped(notebook, cells):
    """Answer two once more at the end, the wrong one before; its own cell and its tests gone."""
    gone = [id(cells[name]) for name in ("two", "test_two", "test_two_hidden")]
    notebook.cells = [c for c in notebook.cells if id(c) not in gone]
    notebook.cells += [new_code_cell("def two(): return 0"), new_code_cell(cells["two"].source)]


def experiment(notebook, cells):
    """An experiment before the answer: what it defines may be used, what it runs is left out."""
    source = "import fractions\nsize = 1 / 0\ndef helper():\n    return fractions.Fraction(2)"
    at = notebook.cells.index(cells["two"])
    notebook.cells.insert(at, new_code_cell(source, metadata={"tags": ["ungraded"]}))


LOOP = "def two():\n    while True:\n        pass"
DEAF = "def two():\n    import signal\n    signal.signal(signal.SIGINT, signal.SIG_IGN)\n"
DEAF += "    while True:\n        pass"
EXIT = "def two():\n    import os\n    os._exit(3)"
TOP = "{}\ndef two(): return 2"
# student: (answers that replace the reference's, points of 9 that are left, edit of the file)
CLASS = {
    "right": ({}, 9, None),
    "copied": ({}, 9, copied),
    "unmarked": ({}, 9, unmarked),
    "removed": ({}, 9, removed),
    "edited": ({"two": "def two(): return 7"}, 6, edited),
    "skipping": ({"one": "def one(): return 7"}, 6, skipping),
    "other_kernel": ({}, 9, other_kernel),
    "extra_cells": ({}, 9, extra_cells),
    "as_text": ({}, 9, as_text),
    "nameless": ({}, 9, nameless),
    "nameless_without_ids": ({}, 9, nameless_without_ids),
    "retyped": ({}, 9, retyped),
    "loop": ({"two": LOOP}, 6, None),
    "deaf_loop": ({"two": DEAF}, 6, None),
    "loop_in_cell": ({"two": "while True: pass"}, 6, None),
    "exit_in_test": ({"two": EXIT}, 6, None),
    "exit_in_cell": ({"two": "import os; os._exit(3)"}, 6, None),
    "polite_exit": ({"two": "exit()"}, 6, None),
    "killed": (
        {"two": TOP.format("import os, signal; os.kill(os.getpid(), signal.SIGKILL)")},
        6,
        None,
    ),
    "system_exit": ({"two": "raise SystemExit"}, 6, None),
    "syntax": ({"two": "def two(:"}, 6, None),
    "warnings": (
        {
            "two": "import sys, warnings, logging\ndef two():\n    print('x', file=sys.stderr)\n"
            "    warnings.warn('slow')\n    logging.error('log')\n    return 2"
        },
        9,
        None,
    ),
    "bulk": ({"two": "for _ in range(90): print('x' * 1_000_000)\ndef two(): return 2"}, 9, None),
    "experiment": ({"two": "def two(): return int(helper())"}, 9, experiment),
    "help": ({"two": "help(len)\ndef two(): return 2"}, 9, None),
    "own_files": ({"two": "from mine import two"}, 9, None),
    "bulk_lines": ({"two": "for i in range(100_000): print(i)\ndef two(): return 2"}, 9, None),
    "long_error": ({"two": "def two(): raise ValueError('x' * 30_000_000)"}, 6, None),
    "display": (
        {
            "two": "from IPython.display import HTML, display\n"
            "for _ in range(30): display(HTML('x' * 1_000_000))\ndef two(): return 2"
        },
        9,
        None,
    ),
    "import_reference": ({"two": "from tinytorch.core.kernels import two"}, 6, None),
    "import_lesson": ({"two": "from three_dev import two"}, 6, None),
    "relative": (
        {
            "two": "from pathlib import Path\n"
            f"exec(Path('../../../modules/source/{A}/three_dev.py').read_text())"
        },
        6,
        None,
    ),
    "import_by_relative_path": (
        {
            "two": "import sys\nsys.path.insert(0, '../../..')\n"
            "for n in [n for n in sys.modules if n.startswith('tinytorch')]: del sys.modules[n]\n"
            "from tinytorch.core.kernels import two"
        },
        6,
        None,
    ),
    "environment": (
        {"two": "import os\ndef two(): return 2 if 'NBGRADER_EXECUTION' in os.environ else 0"},
        6,
        None,
    ),
}


# What a student hands in beside the notebook; a module of Python's own name replaces nothing.
FILES = {"own_files": {"mine.py": "def two(): return 2", "queue.py": "raise RuntimeError"}}


@pytest.fixture(scope="session")
def graded(template, tmp_path_factory, sandbox):
    """Everybody's (score, notebook after grading, result of nbgrader's API)."""
    root = tmp_path_factory.mktemp("class") / "course"
    shutil.copytree(template.root, root)
    project = Project(root)
    api = NbGraderAPI(config=project.nbgrader_config())
    found = {}
    for student, (answers, _, edit) in CLASS.items():
        path = hand_in(project, A, student, answers)
        if edit:
            change(path, edit)
        for name, text in FILES.get(student, {}).items():
            (path.parent / name).write_text(text)
        result = api.autograde(A, student)
        executed = project.autograded / student / A / path.name
        notebook = nbformat.read(executed, as_version=4) if executed.exists() else None
        grades = {name: grade[0] for name, grade in read_grades(project, student).items()}
        found[student] = (grades, notebook, result, executed)
    return found


def texts(notebook, name, kind="error"):
    outputs = named_cells(notebook)[name].outputs
    return [o.evalue if kind == "error" else o.text for o in outputs if o.output_type == kind]


@pytest.mark.parametrize("student", CLASS)
def test_only_the_bad_answers_points_are_lost(graded, student):
    grades, _, result, _ = graded[student]
    assert result["success"], result
    auto = {name: score for name, score in grades.items() if name != "answer_why"}
    assert len(auto) == 6
    assert sum(auto.values()) == CLASS[student][1], auto


def test_experiments_are_not_run_but_the_students_own_cells_are(graded):
    notebook = graded["extra_cells"][1]
    assert named_cells(notebook)["setup_trial"].outputs == []
    names = [o.ename for c in notebook.cells for o in c.get("outputs", []) if "ename" in o]
    assert names == ["ValueError"]


def test_a_stopped_loop_says_so_in_each_of_its_tests(graded):
    notebook = graded["loop"][1]
    for name in ("test_two", "test_two_hidden"):
        assert "CellTimeoutError" in [o.get("ename") for o in named_cells(notebook)[name].outputs]


def test_a_test_that_killed_its_kernel_says_so(graded):
    for name in ("test_two", "test_two_hidden"):
        assert "the kernel died while this cell ran" in texts(graded["exit_in_test"][1], name)[-1]


def test_a_cell_that_kills_at_once_takes_no_earlier_cell_along(template):
    notebook = reference.read_source(template, A)
    named_cells(notebook)["one"].source = "import os; os._exit(1)"
    scores = reference.score_notebook(template, A, notebook)
    assert [score.score for score in scores] == [0, 0, 1, 2, 1, 2]
    assert named_cells(notebook)["one"].outputs[-1].ename == "KernelDied"


def test_warnings_of_a_test_are_kept_as_plain_output(graded):
    assert "slow" in "".join(texts(graded["warnings"][1], "test_two", "stream"))


@pytest.mark.parametrize("student", ["bulk", "bulk_lines", "long_error", "display"])
def test_bulky_output_is_cut(graded, student):
    assert graded[student][3].stat().st_size < 3_000_000


def test_the_cheat_is_told_why(graded):
    assert "not available while grading" in texts(graded["import_reference"][1], "two")[0]


@pytest.mark.parametrize("student", ["removed", "nameless_without_ids"])
def test_a_missing_written_answer_waits_for_a_reader(graded, student):
    assert graded[student][0]["answer_why"] is None
    assert MISSING_ANSWER in named_cells(graded[student][1])["answer_why"].source


def test_what_was_put_right_is_logged(graded):
    assert "'two' is there more than once" in graded["copied"][2]["log"]
    assert "'test_one' was missing" in graded["removed"][2]["log"]
    assert "'test_two' had another grade, it was put right" in graded["unmarked"][2]["log"]
    assert "'two' had another cell type" in graded["as_text"][2]["log"]
    assert "'test_one' was edited" in graded["edited"][2]["log"]
    assert "'test_two_hidden' was edited" in graded["edited"][2]["log"]
    assert "'test_two' had lost its name" in graded["nameless"][2]["log"]


def test_nothing_is_said_of_a_submission_in_order(graded):
    assert "WARNING" not in graded["right"][2].get("log", "")


def test_stubs_name_the_missing_answer(template):
    released = nbformat.read(template.release / A / "three_dev.ipynb", as_version=4)
    source = named_cells(released)["two"].source
    assert '    raise NotImplementedError("two is not written yet")' in source


def test_untouched_release_gets_nothing_and_says_what_is_missing(template):
    notebook = reference.untouched(template, A)
    scores = reference.score_notebook(template, A, notebook)
    assert [score.score for score in scores] == [0] * 6
    released = nbformat.read(template.release / A / "three_dev.ipynb", as_version=4)
    scores = {s.grade_id: s.error for s in reference.score_notebook(template, A, released)}
    for name in NAMES:
        assert scores[f"test_{name}"] == f"NotImplementedError: {name} is not written yet"


def test_a_value_is_no_score(template):
    notebook = reference.read_source(template, A)
    named_cells(notebook)["test_two"].source += "\n0.25"
    named_cells(notebook)["test_three"].source += "\n'a plot'"
    assert [s.score for s in reference.score_notebook(template, A, notebook)] == [1, 2] * 3


def test_the_room_has_nothing_of_the_course(template):
    with grading_room(template) as room:
        paths = [Path(p) for p in room.environment["PYTHONPATH"].split(":")]
        assert sorted(p.name for p in (paths[0] / "tinytorch").iterdir()) == sorted(
            p.name for p in (template.root / "tinytorch").iterdir() if p.name != "__pycache__"
        )
        assert room.work not in paths
        names = [entry.name for path in paths[1:] for entry in path.iterdir()]
        assert "numpy" in names
        assert not [n for n in names if n.endswith(".pth") or n.startswith(("tinytorch", "__ed"))]
    assert not room.work.exists()


def test_the_environment_is_allow_listed(template, monkeypatch):
    monkeypatch.setenv("SECRET_TOKEN", "x")
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    with grading_room(template) as room:
        assert "SECRET_TOKEN" not in room.environment
        assert room.environment["OMP_NUM_THREADS"] == "1"


def test_companions_are_copied_but_neither_links_nor_packages(template, tmp_path):
    (tmp_path / "table.csv").write_text("1,2")
    (tmp_path / "three_dev.ipynb").write_text("{}")
    (tmp_path / "tinytorch").mkdir()
    (tmp_path / "tinytorch" / "__init__.py").write_text("")
    (tmp_path / "link.py").symlink_to(template.script(A))
    with grading_room(template, tmp_path) as room:
        assert [p.name for p in room.work.iterdir()] == ["table.csv"]


def test_restarts_are_bounded(template, monkeypatch):
    monkeypatch.setattr("tinytorch.course.isolation.IsolatedExecute.max_restarts", 0)
    notebook = reference.read_source(template, A)
    named_cells(notebook)["one"].source = "import os; os._exit(1)"
    scores = reference.score_notebook(template, A, notebook)
    assert [score.score for score in scores] == [0] * 6
    assert "did not run: the kernel had died 1 times" in scores[-1].error


@pytest.mark.usefixtures("sandbox")
def test_no_execute_gives_no_points(course):
    hand_in(course, A, "ann", {})
    config = course.nbgrader_config()
    config.Execute.enabled = False
    reference.check_reference(course, A)  # with execution on; its result is remembered
    assert NbGraderAPI(config=config).autograde(A, "ann")["success"]
    with Gradebook(course.gradebook_url) as gradebook:
        assert gradebook.find_submission(A, "ann").score == 0


def test_a_refused_notebook_leaves_no_zero(course, monkeypatch):
    monkeypatch.setattr("tinytorch.course.preprocessors.check_reference", lambda *_, **__: None)
    path = hand_in(course, A, "ann", {})
    change(path, lambda notebook, _: notebook.update(cells=[new_code_cell("2 + 2")]))
    result = NbGraderAPI(config=course.nbgrader_config()).autograde(A, "ann")
    assert not result["success"]
    assert "Ask for the notebook as it was handed out" in result["log"]
    with Gradebook(course.gradebook_url) as gradebook:
        assert gradebook.assignment_submissions(A) == []


# What was decided by hand


@pytest.fixture
def by_hand(course, monkeypatch):
    """Grade ann's answers; `decide` gives points by hand as formgrader does."""
    monkeypatch.setattr("tinytorch.course.preprocessors.check_reference", lambda *_, **__: None)
    monkeypatch.setattr(JudgedExecute, "preprocess", lambda self, nb, resources: (nb, resources))
    api = NbGraderAPI(config=course.nbgrader_config())

    def grade(**answers):
        hand_in(course, A, "ann", {"answer_why": "Because.", **answers})
        assert api.autograde(A, "ann", force=True)["success"]
        return read_grades(course, "ann")

    def decide(**points):
        with Gradebook(course.gradebook_url) as gradebook:
            for name, score in points.items():
                grade = gradebook.find_grade(name, "three_dev", A, "ann")
                grade.manual_score, grade.needs_manual_grade = score, False
            gradebook.db.commit()

    return grade, decide


def test_the_same_text_is_read_once(by_hand):
    grade, decide = by_hand
    assert grade()["answer_why"] == (None, None, True)
    decide(answer_why=3, test_one=0.5)
    again = grade()
    assert again["answer_why"] == (None, 3, False)
    assert again["test_one"] == (1, 0.5, False)


def test_another_text_is_read_again_until_it_was(by_hand):
    grade, decide = by_hand
    grade()
    decide(answer_why=3)
    assert grade(answer_why="Why not?")["answer_why"] == (None, 3, True)
    assert grade(answer_why="Why not?")["answer_why"] == (None, 3, True)
    decide(answer_why=4)
    assert grade(answer_why="Why not?")["answer_why"] == (None, 4, False)


def test_a_test_with_another_result_is_looked_at_again(by_hand, course):
    grade, decide = by_hand
    grade()
    decide(test_one=0.5)
    with Gradebook(course.gradebook_url) as gradebook:
        gradebook.find_grade("test_one", "three_dev", A, "ann").auto_score = 0
        gradebook.db.commit()
    assert grade()["test_one"] == (1, 0.5, True)


@pytest.mark.parametrize("record", [None, "garbage", "[]"])
def test_without_former_texts_everything_is_read_again(by_hand, course, record):
    grade, decide = by_hand
    grade()
    decide(answer_why=3)
    (path,) = (course.autograded / "ann").glob("*.json")
    path.unlink() if record is None else path.write_text(record)
    assert grade()["answer_why"] == (None, 3, True)


# Preflight


def spoil(course: Project) -> None:
    """Make the package fail to import, as a wrong version of something would."""
    path = course.root / "tinytorch" / "__init__.py"
    path.write_text(path.read_text() + "\nimport numpy\nnumpy.broken\n")

    def depend(_, cells):
        cells["setup_numpy"].source = "import tinytorch, numpy as np"
        cells["one"].source = "def one(): return np.int64(1)"

    change(course.notebook(A), depend)


def test_a_broken_environment_is_named(course):
    spoil(course)
    with pytest.raises(CourseError) as caught:
        reference.check_reference(course, A)
    message = str(caught.value)
    assert "this computer is at fault and not the students" in message
    assert "setup_numpy: AttributeError: module 'numpy' has no attribute 'broken'" in message


@pytest.mark.usefixtures("sandbox")
def test_a_wrong_reference_stops_grading_and_leaves_no_trace(course):
    hand_in(course, A, "ann", {})
    hand_in(course, A, "bob", {})
    change(course.notebook(A), lambda _, cells: cells["two"].update(source="def two(): return 3"))
    result = NbGraderAPI(config=course.nbgrader_config()).autograde(A, "ann")
    assert not result["success"]
    assert "test_two: 0 of 1 points, AssertionError" in result["log"]
    assert not (course.autograded / "ann" / A).exists()
    with Gradebook(course.gradebook_url) as gradebook:
        assert gradebook.assignment_submissions(A) == []


@pytest.mark.usefixtures("sandbox")
def test_earlier_grades_survive_a_broken_environment(course):
    hand_in(course, A, "ann", {})
    api = NbGraderAPI(config=course.nbgrader_config())
    assert api.autograde(A, "ann")["success"]
    change(course.notebook(A), lambda _, cells: cells["two"].update(source="def two(): return 3"))
    assert not api.autograde(A, "ann")["success"]
    with Gradebook(course.gradebook_url) as gradebook:
        assert gradebook.find_submission(A, "ann").score == 9


def test_the_reference_is_graded_once_per_process(course, monkeypatch):
    reference.check_reference(course, A, course.gradebook_url)
    monkeypatch.setattr(reference, "score_notebook", None)
    reference.check_reference(course, A, course.gradebook_url)


def test_tests_that_changed_since_the_release_are_noticed(course):
    def rename(_, cells):
        cells["test_two"].metadata.nbgrader.grade_id = "test_two_again"

    change(course.notebook(A), rename)
    with pytest.raises(CourseError, match="test_two, test_two_again"):
        reference.check_reference(course, A, course.gradebook_url)


def test_students_are_graded_with_the_released_tests(course):
    change(course.notebook(A), lambda _, cells: cells["test_two"].update(source="assert False"))
    reference.check_reference(course, A, course.gradebook_url)


def test_a_kernel_that_does_not_start_is_the_environments_fault(course, monkeypatch):
    monkeypatch.setattr("tinytorch.course.isolation._site_packages", lambda: [])
    with pytest.raises(CourseError, match="did not start"):
        reference.check_reference(course, A)
