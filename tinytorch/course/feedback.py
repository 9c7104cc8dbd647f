"""What a feedback page shows of a test: its points and one sentence for what was lost.

A step of nbgrader's GenerateFeedback. The sentence itself is the test's own AssertionError.
"""

import re

from nbformat import NotebookNode
from nbformat.v4 import new_output
from nbgrader.preprocessors import NbGraderPreprocessor
from traitlets import Bool

from tinytorch.course.isolation import is_test
from tinytorch.course.lesson import HIDDEN

_MOST = 1_000  # characters of a sentence


class OneSentence(NbGraderPreprocessor):
    """Leave of each test's output what it said, and of hidden tests neither source nor inputs."""

    show_hidden = Bool(
        False, help="Show hidden tests: their source, tracebacks and all that they printed."
    ).tag(config=True)

    def preprocess(
        self, nb: NotebookNode, resources: dict[str, object]
    ) -> tuple[NotebookNode, dict[str, object]]:
        """Shorten one student's executed notebook; the autograded copy keeps everything."""
        if not self.show_hidden:
            for cell in nb.cells:
                if is_test(cell):
                    _shorten(cell)
        return nb, resources


def _shorten(cell: NotebookNode) -> None:
    hidden = HIDDEN[0] in cell.source or "_hidden" in cell.metadata.nbgrader.grade_id
    kept = []
    for output in cell.outputs:
        if output.output_type == "error":
            kept.append(_sentence(output))
        elif not hidden:  # a student's print in an answer would show what a hidden test tried
            kept.append(output)
    cell.outputs = kept
    if hidden:
        about = [line for line in cell.source.split("\n") if line.startswith("# Hidden tests")]
        cell.source = about[0] if about else "# Hidden tests."


def _sentence(output: NotebookNode) -> NotebookNode:
    """An error as its last words: no traceback, which would show the test's source."""
    text = re.sub(r"\s+", " ", str(output.evalue)).strip()[:_MOST]
    said = f"{output.ename}: {text}" if text else str(output.ename)
    return new_output("error", ename=output.ename, evalue=text, traceback=[said])
