"""Finding a course, its files, and nbgrader's settings for it."""

import importlib

import pytest
from traitlets.config import Configurable

from tinytorch.course.project import CourseError, Project


def test_the_course_is_found_from_a_folder_below_it(tiny):
    assert Project.find(tiny.assignment("01_double")) == Project(tiny.root.resolve())


def test_outside_a_course_the_error_says_what_was_looked_for(tmp_path):
    with pytest.raises(CourseError, match=r"nbgrader_config\.py and modules/source.*--root"):
        Project.find(tmp_path)


def test_an_unknown_assignment_is_answered_with_the_known_ones(tiny):
    with pytest.raises(CourseError, match=r"'11_kernel'.*It has: 01_double"):
        tiny.assignment("11_kernel")


@pytest.mark.parametrize("name", ["..", "", "../source/01_double", "01_double/"])
def test_a_path_is_not_an_assignment(tiny, name):
    with pytest.raises(CourseError, match="no assignment"):
        tiny.assignment(name)


def test_the_notebook_is_named_after_the_lesson(tiny):
    assert tiny.notebook("01_double") == tiny.source / "01_double" / "double_dev.ipynb"


def test_two_lessons_in_one_folder_are_refused(tiny):
    tiny.script("01_double").with_name("other_dev.py").write_text("# %%\n")
    with pytest.raises(CourseError, match=r"2 lessons \(double_dev.py, other_dev.py\)"):
        tiny.script("01_double")


def test_settings_do_not_depend_on_the_working_directory(tiny, monkeypatch, tmp_path):
    here = tiny.nbgrader_config()
    monkeypatch.chdir(tmp_path)
    assert tiny.nbgrader_config() == here
    assert here.CourseDirectory.root == str(tiny.root)
    assert here.Exchange.root == str(tiny.root / "exchange")


def test_the_gradebook_is_the_one_that_nbgrader_uses_from_the_root(tiny, monkeypatch):
    from nbgrader.coursedir import CourseDirectory

    monkeypatch.chdir(tiny.root)
    assert tiny.gradebook_url == CourseDirectory().db_url


def test_nbgraders_program_alembic_is_found_without_an_activated_environment(tiny, monkeypatch):
    import shutil

    monkeypatch.setenv("PATH", "/nowhere")
    tiny.nbgrader_config()
    assert shutil.which("alembic")


def configurable_classes() -> dict[str, type[Configurable]]:
    modules = ("coursedir", "exchange", "converters", "preprocessors", "validator")
    found = {}
    others = ("tinytorch.course.preprocessors", "nbconvert.exporters")
    for name in (*(f"nbgrader.{module}" for module in modules), *others):
        for value in vars(importlib.import_module(name)).values():
            if isinstance(value, type) and issubclass(value, Configurable):
                found[value.__name__] = value
    found["Exchange"] = importlib.import_module("nbgrader.exchange.default").Exchange
    return found


def test_every_option_exists(released):
    classes = configurable_classes()
    for section, options in released.nbgrader_config().items():
        known = classes[section].class_traits(config=True)
        for option in options:
            assert option in known, f"{section}.{option} is no option of nbgrader"


def test_every_preprocessor_named_can_be_imported(released):
    config = released.nbgrader_config()
    lists = (
        config.GenerateAssignment.preprocessors,
        config.Autograde.sanitize_preprocessors,
        config.Autograde.autograde_preprocessors,
    )
    for name in (name for names in lists for name in names):
        module, _, cls = name.rpartition(".")
        assert hasattr(importlib.import_module(module), cls), name


def test_nbgraders_own_steps_and_ignored_files_are_all_kept(released):
    from nbgrader.converters import Autograde, GenerateAssignment
    from nbgrader.coursedir import CourseDirectory

    config = released.nbgrader_config()

    def names(steps) -> list[str]:
        return [
            step.rpartition(".")[2] if isinstance(step, str) else step.__name__ for step in steps
        ]

    ours = names(config.GenerateAssignment.preprocessors)
    for own in ("NameStubs", "RunOn"):
        ours.remove(own)
    assert ours == names(GenerateAssignment().preprocessors)
    assert names(config.Autograde.sanitize_preprocessors)[1:] == names(
        Autograde().sanitize_preprocessors
    )
    steps = names(config.Autograde.autograde_preprocessors)
    steps[steps.index("KeepReading")] = "SaveAutoGrades"  # which it extends
    assert steps[1:] == names(Autograde().autograde_preprocessors[1:])
    assert set(CourseDirectory().ignore) <= set(config.CourseDirectory.ignore)
