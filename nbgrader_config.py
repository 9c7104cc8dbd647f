"""nbgrader's settings for this course: folders, release, grading. Only options that exist.

Read by every `nbgrader` command, by formgrader and by tito, from this folder.
"""

import os
import sysconfig
from contextlib import suppress
from pathlib import Path

from tinytorch.course.guard import guard_nbgrader

c = get_config()  # noqa: F821 - nbgrader puts it into this file's names
course = Path(__file__).resolve().parent

# nbgrader makes a new gradebook by calling the program `alembic`, and leaves a broken one behind
# if the shell does not find it: .venv/bin/nbgrader without an activated environment.
scripts = sysconfig.get_path("scripts")
if scripts not in os.environ.get("PATH", "").split(os.pathsep):
    os.environ["PATH"] = os.pathsep.join([scripts, os.environ.get("PATH", os.defpath)])

# A submission is looked at before nbgrader copies it; a refused one has no points, and says why.
guard_nbgrader()

c.CourseDirectory.course_id = "tinytorch"
c.CourseDirectory.source_directory = "modules/source"
# This list replaces nbgrader's own, so its four come first. Whatever is not listed here is copied
# to the students and beside every submission while it is graded: the lesson's .py is its solution.
c.CourseDirectory.ignore = [
    ".ipynb_checkpoints",
    "*.pyc",
    "__pycache__",
    "feedback",
    "*_dev.py",
    "jupytext.toml",
    "module.yaml",
]

# nbgrader wants the exchange to exist already, and offers no command that makes one.
c.Exchange.root = str(course / "exchange")
with suppress(OSError):
    (course / "exchange").mkdir(exist_ok=True)

# NameStubs follows ClearSolutions, so that the checksums that come later know the final stubs.
c.GenerateAssignment.preprocessors = [
    "nbgrader.preprocessors.IncludeHeaderFooter",
    "nbgrader.preprocessors.InstantiateTests",
    "nbgrader.preprocessors.LockCells",
    "nbgrader.preprocessors.ClearSolutions",
    "tinytorch.course.preprocessors.NameStubs",
    "nbgrader.preprocessors.ClearOutput",
    "nbgrader.preprocessors.CheckCellMetadata",
    "nbgrader.preprocessors.ComputeChecksums",
    "nbgrader.preprocessors.SaveCells",
    "nbgrader.preprocessors.ClearHiddenTests",
    "nbgrader.preprocessors.ClearMarkScheme",
    "tinytorch.course.preprocessors.RunOn",
    "nbgrader.preprocessors.ComputeChecksums",
    "nbgrader.preprocessors.CheckCellMetadata",
]

c.Autograde.sanitize_preprocessors = [
    "tinytorch.course.preprocessors.Preflight",
    "nbgrader.preprocessors.ClearOutput",
    "nbgrader.preprocessors.DeduplicateIds",
    "nbgrader.preprocessors.OverwriteKernelspec",
    "nbgrader.preprocessors.OverwriteCells",
    "nbgrader.preprocessors.CheckCellMetadata",
]
c.Autograde.autograde_preprocessors = [
    "tinytorch.course.preprocessors.JudgedExecute",
    "nbgrader.preprocessors.IgnorePattern",
    "nbconvert.preprocessors.ClearMetadataPreprocessor",
    "nbgrader.preprocessors.LimitOutput",
    "tinytorch.course.preprocessors.KeepReading",
    "nbgrader.preprocessors.AssignLatePenalties",
    "nbgrader.preprocessors.CheckCellMetadata",
]
# One sentence for each lost point; hidden tests stay hidden (`tito feedback --show-hidden`).
c.GenerateFeedback.preprocessors = [
    "nbgrader.preprocessors.GetGrades",
    "tinytorch.course.feedback.OneSentence",
    "nbconvert.preprocessors.CSSHTMLHeaderPreprocessor",
]
# Feedback and formgrader show a submission's text and pictures, and nothing that a browser acts on.
c.HTMLExporter.preprocessors = ["tinytorch.course.pages.TextAndPictures"]
c.HTMLExporter.filters = {
    "markdown2html": "tinytorch.course.pages.markdown2html",
    "strip_files_prefix": "tinytorch.course.pages.as_it_is",
}
c.GenerateFeedback.exporter_class = "tinytorch.course.pages.FeedbackPage"
# Seconds a cell behind the Validate button: a loop that never ends costs its own points. What a
# submission may take while it is graded stands in tinytorch/course/judging.py; each can be changed
# here, such as c.JudgedExecute.submission = 600 (seconds in all).
c.Execute.timeout = 20
c.IsolatedExecute.timeout = 20
