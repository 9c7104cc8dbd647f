"""What a feedback page shows of a test: its points and one sentence for what was lost.

A step of nbgrader's GenerateFeedback. The sentence itself is the test's own AssertionError.
"""

import re
from typing import Any

from nbformat import NotebookNode
from nbformat.v4 import new_output
from nbgrader.api import Gradebook, MissingEntry
from nbgrader.preprocessors import NbGraderPreprocessor
from traitlets import Bool

from tinytorch.course.isolation import is_hidden, is_test

_MOST, _MOST_HIDDEN = 1_000, 600  # characters of a sentence


class OneSentence(NbGraderPreprocessor):
    """Leave of each test's output what it said, and of hidden tests neither source nor inputs."""

    show_hidden = Bool(
        False, help="Show hidden tests: their source, tracebacks and all that they printed."
    ).tag(config=True)

    def preprocess(
        self, nb: NotebookNode, resources: dict[str, Any]
    ) -> tuple[NotebookNode, dict[str, Any]]:
        """Shorten one student's executed notebook; the autograded copy keeps everything."""
        resources["nbgrader"]["unread"] = _unread(resources["nbgrader"])
        if not self.show_hidden:
            for cell in nb.cells:
                if is_test(cell):
                    _shorten(cell)
        return nb, resources


def _unread(facts: dict[str, Any]) -> list[str]:
    """The written answers that wait for their reader: a 0 is no grade."""
    with Gradebook(facts["db_url"]) as gradebook:
        try:
            found = gradebook.find_submission_notebook(
                facts["notebook"], facts["assignment"], facts["student"]
            )
        except MissingEntry:
            return []
        return [g.name for g in found.grades if g.needs_manual_grade and g.manual_score is None]


def _shorten(cell: NotebookNode) -> None:
    hidden = is_hidden(cell)
    kept = []
    for output in cell.outputs:
        if output.output_type == "error":
            kept.append(_sentence(output, _MOST_HIDDEN if hidden else _MOST))
        elif not hidden:  # a student's print in an answer would show what a hidden test tried
            kept.append(output)
    cell.outputs = kept
    if hidden:
        about = [line for line in cell.source.split("\n") if line.startswith("# Hidden tests")]
        cell.source = about[0] if about else "# Hidden tests."


def _sentence(output: NotebookNode, most: int) -> NotebookNode:
    """An error as its last words: no traceback, which would show the test's source."""
    text = re.sub(r"\s+", " ", str(output.evalue)).strip()[:most]
    said = f"{output.ename}: {text}" if text else str(output.ename)
    return new_output("error", ename=output.ename, evalue=text, traceback=[said])
