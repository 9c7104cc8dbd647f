"""The corpus's format, and what is said of an entry that does not keep to it."""

import pytest
from trial_lesson import write_entry

from tinytorch.course.corpus import read_corpus, read_entry
from tinytorch.course.project import CourseError

WRONG = """\
# wrong: adds one
# loses: values, visible
# %%
ONE = 1

# %%
def double(x):
    return 2 * x + ONE

# %%
print(double(1))
"""


def test_an_entry_is_read(tmp_path):
    entry = read_entry(write_entry(tmp_path, "double", "adds_one", WRONG))
    assert (entry.answer, entry.slug, entry.wrong) == ("double", "adds_one", True)
    assert (entry.about, entry.loses) == ("adds one", ("values", "visible"))
    assert entry.before == ("ONE = 1",)
    assert entry.source == "def double(x):\n    return 2 * x + ONE"
    assert entry.after == ("print(double(1))",)


def test_a_right_entry_needs_no_second_line(tmp_path):
    text = "# right: by assignment\n# %%\ndouble = lambda x: x + x\n"
    entry = read_entry(write_entry(tmp_path, "double", "lambda", text))
    assert not entry.wrong and entry.loses == () and entry.source == "double = lambda x: x + x"


def test_magics_are_python_too(tmp_path):
    text = "# right: timed\n# %%\ndouble = lambda x: x + x\n# %%\n%time double(2)\n!true\n"
    assert len(read_entry(write_entry(tmp_path, "double", "timed", text)).after) == 1


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("", 1, "the first line must be"),
        ("# wrong:\n# loses: values\n", 1, "the first line must be"),
        ("# wrong: x\n# %%\ndouble = 1\n", 2, "a wrong answer says"),
        ("# wrong: x\n# loses: values, speed\n# %%\ndouble = 1\n", 2, "'speed' is none of"),
        ("# right: x\n# loses: values\n# %%\ndouble = 1\n", 2, "a right answer loses nothing"),
        ("# right: x\ndouble = 1\n# %%\n", 2, "code before the first"),
        ("# right: x\n# %% double\ndouble = 1\n", 2, "a bare `# %%`"),
        ("# right: x\n# %%\n\n# %%\ndouble = 1\n", 2, "an empty cell"),
        ("# right: x\n# %%\na = 1\ndouble = = 1\n", 4, "not valid Python"),
        ("# right: x\n# %%\na = 1\n", 4, "no cell defines 'double'"),
        ("# right: x\n# %%\ndouble = 1\n# %%\ndouble = 2\n", 5, "a second cell defines 'double'"),
        ("# right: x\n# %%\nif True:\n    double = 1\n", 5, "no cell defines 'double'"),
    ],
)
def test_what_is_malformed_is_named_with_its_line(tmp_path, text, line, message):
    path = write_entry(tmp_path, "double", "bad", text)
    with pytest.raises(CourseError, match=message) as caught:
        read_entry(path)
    assert f"{path}:{line}: " in str(caught.value)


def test_all_malformed_entries_are_named_at_once(tmp_path):
    for slug in ("one", "two"):
        write_entry(tmp_path, "double", slug, "nothing")
    with pytest.raises(CourseError) as caught:
        read_corpus(tmp_path, ["double"])
    assert "one.py:1" in str(caught.value) and "two.py:1" in str(caught.value)


def test_entries_come_in_the_lessons_order(tmp_path):
    write_entry(tmp_path, "triple", "a", "# right: x\n# %%\ntriple = 1\n")
    write_entry(tmp_path, "double", "b", "# right: x\n# %%\ndouble = 1\n")
    write_entry(tmp_path, "double", "a", "# right: x\n# %%\ndouble = 1\n")
    read = read_corpus(tmp_path, ["double", "triple"])
    assert [(e.answer, e.slug) for e in read] == [("double", "a"), ("double", "b"), ("triple", "a")]
    assert [e.answer for e in read_corpus(tmp_path, ["double", "triple"], ["triple"])] == ["triple"]


def test_names_that_the_lesson_does_not_ask_for_are_refused(tmp_path):
    write_entry(tmp_path, "dubble", "a", WRONG)
    with pytest.raises(CourseError, match="asks for no dubble"):
        read_corpus(tmp_path, ["double"])
    with pytest.raises(CourseError, match="asks for no none, quadruple"):
        read_corpus(tmp_path / "dubble", ["double"], ["none", "quadruple"])


def test_a_folder_without_entries_is_named(tmp_path):
    with pytest.raises(CourseError, match="There is no corpus"):
        read_corpus(tmp_path / "none", ["double"])
    with pytest.raises(CourseError, match="holds no entries"):
        read_corpus(tmp_path, ["double"])
