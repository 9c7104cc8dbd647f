"""A wall of horrors: whatever a student can put into a folder is told, and nothing is raised."""

import json
import os
import random
import socket
from pathlib import Path

import pytest

from tinytorch.course import intake
from tinytorch.course.intake import look, parse
from tinytorch.course.project import CourseError

NAME = "kernels_dev.ipynb"
CELL = {"cell_type": "code", "metadata": {}, "source": "1 + 1"}


def notebook(*cells, **changes) -> str:
    return json.dumps(
        {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells} | changes
    )


def cell(**changes) -> str:
    return notebook(CELL | changes)


@pytest.fixture
def folder(tmp_path) -> Path:
    """An honest submission: a notebook, a time stamp, a picture, a module of the student's own."""
    made = tmp_path / "submitted" / "ann" / "11_kernels"
    made.mkdir(parents=True)
    (made / NAME).write_text(notebook(CELL))
    (made / "timestamp.txt").write_text("2026-01-02 03:04:05.678 UTC")
    (made / "pictures").mkdir()
    (made / "pictures" / "plot.png").write_bytes(b"\x89PNG")
    (made / "mine.py").write_text("two = 2")
    return made


def test_an_honest_submission_is_taken_as_it_is(folder):
    found = look(folder, NAME)
    assert found.refused == ""
    assert found.text == notebook(CELL)
    assert set(found.companions) == {"timestamp.txt", "pictures/plot.png", "mine.py"}
    assert found.companions["pictures/plot.png"] == b"\x89PNG"
    assert found.left_out == ()


# The folder


def pipe(folder):
    (folder / NAME).unlink()
    os.mkfifo(folder / NAME)


def listen(folder):
    here = os.getcwd()
    os.chdir(folder)  # the name of a socket has a limit
    try:
        with socket.socket(socket.AF_UNIX) as server:
            server.bind("plug")
    finally:
        os.chdir(here)


def exchange(folder, target):
    (folder / NAME).unlink()
    (folder / NAME).symlink_to(target)


def as_folder(folder):
    (folder / NAME).unlink()
    (folder / NAME).mkdir()


def link_above(folder):
    folder.rename(folder.parent.parent / "other")
    folder.symlink_to(folder.parent.parent / "other")


def link_student(folder):
    student = folder.parent
    student.rename(student.parent.parent / "elsewhere")
    student.symlink_to(student.parent.parent / "elsewhere")


def huge(folder):
    with (folder / NAME).open("r+b") as file:
        file.truncate(30_000_000)


def crowded(folder):
    for number in range(intake.MAX_ENTRIES):
        (folder / f"{number}.txt").touch()


FOLDERS = {
    "link_to_a_file": (lambda f: exchange(f, "/etc/passwd"), "is a link, and links are not"),
    "link_to_a_folder": (lambda f: (f / "data").symlink_to("/etc"), "data is a link"),
    "link_to_nothing": (lambda f: (f / "x").symlink_to("nowhere"), "x is a link"),
    "link_for_a_stamp": (
        lambda f: ((f / "timestamp.txt").unlink(), (f / "timestamp.txt").symlink_to("/etc/hosts")),
        "timestamp.txt is a link",
    ),
    "folder_is_a_link": (link_above, "is a link"),
    "student_is_a_link": (link_student, "is a link"),
    "hard_link": (lambda f: os.link(f / "mine.py", f.parent / "x"), "mine.py is a hard link"),
    "pipe": (pipe, "no file but a device, a pipe or a socket"),
    "socket": (listen, "plug is no file but"),
    "notebook_is_a_folder": (as_folder, "is a folder"),
    "thirty_megabytes": (huge, "has 30 MB, at most 20 MB are read"),
    "too_many_files": (crowded, "more than 2,000 files"),
    "no_notebook": (lambda f: (f / NAME).unlink(), "is missing (there is no notebook)"),
    "renamed": (lambda f: (f / NAME).rename(f / "my.ipynb"), "my.ipynb is there"),
    "renamed_with_newline": (lambda f: (f / NAME).rename(f / "a\nb.ipynb"), "is missing"),
    "no_date": (lambda f: (f / "timestamp.txt").write_text("soon"), "holds no date"),
    "empty_date": (lambda f: (f / "timestamp.txt").write_text(""), "holds no date"),
    "long_date": (lambda f: (f / "timestamp.txt").write_text("1" * 9_000), "holds no date"),
    "no_folder": (lambda f: f.rename(f.parent / "12_other"), "has not handed in"),
}


@pytest.mark.parametrize("horror", FOLDERS)
def test_a_folder_that_is_refused_says_why_and_brings_nothing(folder, horror):
    spoil, reason = FOLDERS[horror]
    spoil(folder)
    found = look(folder, NAME)
    assert reason in found.refused
    assert found.refused.isprintable()
    assert (found.text, found.companions) == ("", {})


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make a device")
def test_a_device_is_refused(folder):
    try:
        os.mknod(folder / "null", 0o20666, os.makedev(1, 3))
    except OSError:
        pytest.skip("no devices can be made here")
    assert "null is no file" in look(folder, NAME).refused


@pytest.mark.parametrize("what", [NAME, "mine.py", "pictures"])
def test_what_may_not_be_read_is_named(folder, monkeypatch, what):
    """Permissions do not hold root back, so opening is made to fail."""
    real = os.open

    def forbidden(path, *args, **kwargs):
        if path == what:
            raise PermissionError(13, "Permission denied")
        return real(path, *args, **kwargs)

    monkeypatch.setattr(os, "open", forbidden)
    found = look(folder, NAME)
    if what == NAME:
        assert "cannot be read: Permission denied" in found.refused
    else:
        assert found.refused == ""
        (left_out,) = found.left_out
        assert what in left_out and "cannot be read" in left_out


def test_a_file_that_is_exchanged_after_the_look_is_not_read(folder, monkeypatch):
    real = os.open

    def exchanging(path, *args, **kwargs):
        if path == NAME:
            (folder / NAME).rename(folder / "old")
            (folder / NAME).write_text("the other one")
        return real(path, *args, **kwargs)

    monkeypatch.setattr(os, "open", exchanging)
    assert "was exchanged while it was read" in look(folder, NAME).refused


def test_a_link_that_appears_after_the_look_is_not_followed(folder, monkeypatch):
    real = os.open

    def linking(path, *args, **kwargs):
        if path == NAME:
            exchange(folder, "/etc/passwd")
        return real(path, *args, **kwargs)

    monkeypatch.setattr(os, "open", linking)
    found = look(folder, NAME)
    assert found.refused and found.text == ""


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("tinytorch/core/kernels.py", "named like the module tinytorch"),
        ("tinytorch/table.csv", "named like the module tinytorch"),
        ("numpy.py", "named like the module numpy"),
        ("numpy/__init__.py", "named like the module numpy"),
        ("queue.py", "named like the module queue"),
        ("IPython.cpython-311-x86_64-linux-gnu.so", "named like the module IPython"),
        ("kernels_dev.py", "named like the module kernels_dev"),
        ("sitecustomize.py", "a setting"),
        ("ipython_kernel_config.py", "a setting"),
        (".bashrc", "a setting"),
        (".ipython/startup.py", "a setting"),
        ("other.ipynb", "another notebook"),
        ("deep/other.ipynb", "another notebook"),
        ("two\nlines.txt", "its name cannot be written"),
        ("page.html", "a page for browsers"),
        ("figures/plot.SVG", "a page for browsers"),
        ("a/b/c/d/e/f/g.txt", "deeper than 5 folders"),
    ],
)
def test_what_is_not_asked_for_is_left_out_by_name(folder, name, reason):
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text("x")
    found = look(folder, NAME)
    assert found.refused == ""
    assert len(found.companions) == 3
    (left_out,) = found.left_out
    assert reason in left_out and left_out.isprintable()


def test_a_folder_called_like_a_module_may_hold_data(folder):
    (folder / "code").mkdir()
    (folder / "code" / "table.csv").write_text("1")
    assert "code/table.csv" in look(folder, NAME).companions


def test_litter_is_left_out_without_a_word(folder):
    (folder / ".ipynb_checkpoints").mkdir()
    (folder / ".ipynb_checkpoints" / NAME).symlink_to("/etc/passwd")
    (folder / ".DS_Store").write_text("x")
    found = look(folder, NAME)
    assert (found.refused, found.left_out, len(found.companions)) == ("", (), 3)


def test_companions_have_limits(folder, monkeypatch):
    monkeypatch.setattr(intake, "MAX_COMPANION", 100)
    monkeypatch.setattr(intake, "MAX_COMPANIONS", 250)
    monkeypatch.setattr(intake, "MAX_FILES", 6)
    for name, size in {"a": 101, "b": 100, "c": 100, "d": 100, "n1": 1, "n2": 1}.items():
        (folder / name).write_bytes(b"x" * size)
    found = look(folder, NAME)
    assert set(found.companions) == {"timestamp.txt", "b", "c", "mine.py", "n1", "n2"}
    assert [text.split(" (")[0] for text in found.left_out] == ["a", "d", "pictures/plot.png"]


# The notebook


def deep(depth: int) -> str:
    return "[" * depth + "]" * depth


NOTEBOOKS = {
    "empty": ("", "Expecting value"),
    "zeros": ("\0" * 100, "Expecting value"),
    "list": ("[1]", "holds no JSON object"),
    "open_lists": ("[[[[", "Expecting value"),
    "many_open_lists": ("[" * 1_000_000, "nested more than 100 deep"),
    "deep": (f'{{"nbformat": 4, "cells": {deep(500)}}}', "nested more than 100 deep"),
    "deep_metadata": (cell(metadata={"x": json.loads(deep(200))}), "nested more than 100 deep"),
    "bomb": ("[" + "{}," * 900_000 + "{}]", "more than 2,000,000 parts"),
    "quotes": ('"' + '\\"' * 2_000_000, "Unterminated string"),
    "backslash": ('{"a": "\\', "Unterminated string"),
    "huge_integer": (notebook(nbformat_minor=0)[:-1] + ', "x": ' + "9" * 5_000 + "}", "digits"),
    "huge_float": ('{"nbformat": 4, "x": 0.' + "1" * 500_000 + "}", "digits"),
    "format_3": (json.dumps({"nbformat": 3, "worksheets": []}), "notebook format 3"),
    "format_5": (notebook(nbformat=5), "notebook format 5"),
    "format_true": (notebook(nbformat=True), "which notebook format"),
    "format_text": (notebook(nbformat="4"), "which notebook format"),
    "minor_list": (notebook(nbformat_minor=[5]), "which notebook format"),
    "no_cells": ('{"nbformat": 4, "nbformat_minor": 5}', "no list of cells"),
    "cells_dict": (notebook(cells={}), "no list of cells"),
    "metadata_list": (notebook(metadata=[]), "metadata is no JSON object"),
    "cell_text": (notebook("x"), "cell 1 is no JSON object"),
    "cell_without_type": (notebook({"source": ""}), "cell 1 is neither code nor text"),
    "cell_type_list": (cell(cell_type=["code"]), "cell 1 is neither code nor text"),
    "cell_metadata_list": (cell(metadata=[]), "metadata of cell 1"),
    "source_dict": (cell(source={"a": 1}), "source of cell 1"),
    "source_numbers": (cell(source=["a", 1]), "source of cell 1"),
    "source_null": (cell(source=None), "source of cell 1"),
    "hundred_thousand_cells": (notebook(*[CELL] * 100_000), "100,000 cells"),
    "six_thousand_cells": (notebook(*[CELL] * 6_000), "6,000 cells"),
}


@pytest.mark.parametrize("horror", NOTEBOOKS)
def test_a_file_that_is_no_notebook_is_refused_with_the_reason(folder, horror):
    text, reason = NOTEBOOKS[horror]
    (folder / NAME).write_text(text)
    refused = look(folder, NAME).refused
    assert "is not a notebook" in refused
    assert reason in refused
    with pytest.raises(CourseError):
        parse(text)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32", "latin-1"])
def test_text_that_is_not_utf8_is_refused(folder, encoding):
    (folder / NAME).write_bytes(notebook(CELL, name="ä").replace("\\u00e4", "ä").encode(encoding))
    assert "it is not UTF-8 text" in look(folder, NAME).refused


def test_a_byte_order_mark_is_no_fault(folder):
    (folder / NAME).write_text(notebook(CELL), encoding="utf-8-sig")
    assert look(folder, NAME).refused == ""


def test_without_content_the_text_is_left_to_the_worker(folder):
    (folder / NAME).write_text("[1]")
    assert look(folder, NAME, content=False).text == "[1]"


TOLERATED = {
    "duplicate_keys": '{"cells": 1, "nbformat": 4, "cells": []}',
    "nan": notebook(CELL, metadata={"x": float("nan"), "NaN": float("inf")}),
    "later_minor": notebook(CELL, nbformat_minor=99),
    "tags_a_number": cell(metadata={"tags": 3}),
    "tags_mixed": cell(metadata={"tags": [3, {}, "b", "a", "a"]}),
    "nbgrader_a_list": cell(metadata={"nbgrader": [1]}),
    "grade_id_a_list": cell(metadata={"nbgrader": {"grade_id": [1], "points": {}}}),
    "no_metadata": notebook({"cell_type": "raw", "source": ["a", "b"]}),
    "outputs_a_number": cell(outputs=3, execution_count="x"),
    "same_ids": notebook(CELL | {"id": "a"}, CELL | {"id": "a"}, CELL | {"id": [1]}, CELL),
    "taken_ids": notebook(CELL, CELL | {"id": "cell-1"}, CELL | {"id": "no good"}),
}


@pytest.mark.parametrize("text", TOLERATED.values(), ids=list(TOLERATED))
def test_what_can_be_read_becomes_a_notebook_that_nbformat_accepts(text):
    import nbformat

    found = parse(text)
    nbformat.validate(found)
    assert len({c.id for c in found.cells}) == len(found.cells)


def test_ids_are_kept_where_they_can_be():
    found = parse(TOLERATED["taken_ids"])
    assert [c.id for c in found.cells] == ["cell-2", "cell-1", "cell-3"]


def test_characters_that_no_file_can_hold_are_replaced():
    found = parse(cell(source="a\0b\ud800c", metadata={"nbgrader": {"grade_id": "\udfff"}}))
    assert found.cells[0].source == "a\ufffdb\ufffdc"
    json.dumps(found, ensure_ascii=False).encode()


def test_pasted_pictures_stay_and_other_attachments_do_not():
    attachments = {
        "a.png": {"image/png": "iVBOR", "text/html": "<script>"},
        "b.svg": {"image/svg+xml": "<svg/>"},
        "c.png": {"image/png": '"><script>'},
        '">.png': {"image/png": "iVBOR"},
        "d.png": ["iVBOR"],
    }
    found = parse(cell(cell_type="markdown", attachments=attachments))
    assert found.cells[0].attachments == {"a.png": {"image/png": "iVBOR"}}


def test_random_damage_is_refused_or_read_but_never_raised(folder):
    """Bytes of a real notebook exchanged: a parser's every state is met."""
    from nbformat import validate

    rng = random.Random(5)
    whole = notebook(*[CELL | {"metadata": {"tags": ["a"], "nbgrader": {"grade_id": "x"}}}] * 3)
    refused = 0
    for _ in range(300):
        text = bytearray(whole.encode())
        for _ in range(rng.randint(1, 4)):
            place = rng.randrange(len(text))
            text[place : place + rng.randint(0, 3)] = rng.choice(
                [b"", b"\xff", b'"', b"{", b"]", b"1e999", b"null", b"\\u0000", b"\\ud800", b","]
            )
        (folder / NAME).write_bytes(text)
        found = look(folder, NAME)
        if found.refused:
            refused += 1
        else:
            validate(parse(found.text))
    assert 0 < refused < 300
