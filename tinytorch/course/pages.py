"""What of a submission may reach a browser: its text, and pictures that are pictures.

nbgrader's pages, the feedback and formgrader's, are made by nbconvert's HTMLExporter, which puts
HTML of text cells and outputs into them as it stands. nbgrader_config.py gives it what is here in
place of that: for cells and outputs before a page is made of them, for text on its way to HTML, and
for a feedback page as a whole.
"""

import html
import re
from typing import Any

import bleach
from bs4 import BeautifulSoup
from jinja2 import pass_context
from nbconvert.exporters import HTMLExporter
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath, import_plugin
from nbconvert.preprocessors import Preprocessor
from nbformat import NotebookNode
from nbformat.v4 import new_markdown_cell, new_output

from tinytorch.course.pictures import is_picture

__all__ = ["FeedbackPage", "TextAndPictures", "as_it_is", "markdown2html"]

_PICTURES = ("image/png", "image/jpeg")
_LONGEST = 20_000  # characters of a text that is laid out; a longer one is shown as it was typed
_DATA = re.compile(r"data:(image/(?:png|jpeg));base64,([A-Za-z0-9+/=]+)")
# Neither links nor names: a link may lead anywhere, and formgrader's scripts go by names and
# classes.
_TAGS = {
    "p", "br", "hr", "h1", "h2", "h3", "h4", "h5", "h6", "em", "strong", "b", "i", "u", "s", "del",
    "code", "pre", "kbd", "sup", "sub", "blockquote", "ul", "ol", "li", "dl", "dt", "dd",
    "table", "thead", "tbody", "tr", "th", "td", "details", "summary", "img",
}  # fmt: skip
_PLUGINS = ("strikethrough", "table", "def_list")
# What a browser may do with a feedback page: nothing is run, and nothing is fetched.
_POLICY = (
    "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; "
    "form-action 'none'"
)


class TextAndPictures(Preprocessor):
    """Leaves text and checked pictures of the outputs, and no metadata but nbgrader's."""

    def preprocess(
        self, nb: NotebookNode, resources: dict[str, Any]
    ) -> tuple[NotebookNode, dict[str, Any]]:
        """Replace the cells of a notebook that a page is made of."""
        nb.metadata = NotebookNode()
        nb.cells = [_cell(cell) for cell in nb.cells]
        return nb, resources


def _cell(cell: NotebookNode) -> NotebookNode:
    metadata = {"nbgrader": cell.metadata["nbgrader"]} if "nbgrader" in cell.metadata else {}
    if cell.cell_type not in ("code", "markdown"):
        text = f"<pre>{html.escape(cell.source)}</pre>"
        return new_markdown_cell(text, metadata=metadata, id=cell.get("id", "raw"))
    cell.metadata = NotebookNode(metadata)
    if cell.cell_type == "code":
        cell.outputs = [kept for output in cell.outputs if (kept := _output(output))]
    elif "attachments" in cell:
        cell.attachments = NotebookNode(_attachments(cell.attachments))
    return cell


def _output(output: NotebookNode) -> NotebookNode | None:
    kind = output.output_type
    if kind == "stream":
        name = "stderr" if output.name == "stderr" else "stdout"
        return new_output("stream", name=name, text=str(output.text))
    if kind == "error":
        lines = [str(line) for line in output.traceback]
        return new_output("error", ename=str(output.ename), evalue=str(output.evalue),
                          traceback=lines)  # fmt: skip
    data = output.get("data", {})
    shown = {mime: data[mime] for mime in ("image/png",) if is_picture(mime, data.get(mime))}
    if isinstance(data.get("text/plain"), str):
        shown["text/plain"] = data["text/plain"]
    return new_output("display_data", data=shown) if shown else None


def _attachments(found: Any) -> dict[str, dict[str, str]]:
    kept = {}
    for name, bundle in found.items():
        pictures = {mime: bundle[mime] for mime in _PICTURES if is_picture(mime, bundle.get(mime))}
        if pictures:
            kept[name] = pictures
    return kept


@pass_context
def markdown2html(context: Any, source: str) -> str:
    """Lay out a text: as nbconvert's filter of this name, with a few tags and no attributes.

    Links are shown as text: where they lead is for the reader to decide. Pictures are those that
    are attached.
    """
    plain = f"<pre>{html.escape(source)}</pre>"
    if len(source) > _LONGEST:
        return plain
    attachments = context.get("cell", {}).get("attachments", {})
    plugins = map(import_plugin, _PLUGINS)
    # MathJax, which formgrader's pages load, makes links of a formula's \href.
    text = source.replace("\\href", "\\text")
    try:
        laid_out = MarkdownWithMath(_Words(attachments), plugins=plugins).render(text)
        return str(
            bleach.clean(laid_out, tags=_TAGS, attributes={"img": _may_stay}, protocols={"data"})
        )
    except Exception:  # nested too deeply, or a fault of the parser: the text is what counts
        return plain


def as_it_is(text: str) -> str:
    """Return the text: nbconvert's filter of the name strip_files_prefix would change links."""
    return text


def _may_stay(tag: str, name: str, value: str) -> bool:
    if name == "alt":
        return True
    found = _DATA.fullmatch(value) if name == "src" else None
    return found is not None and is_picture(found[1], found[2])


class _Words(IPythonRenderer):
    """Markdown as HTML without links, names of headings, and colours of code."""

    def __init__(self, attachments: Any) -> None:
        super().__init__(escape=False, attachments=attachments, exclude_anchor_links=True)

    def link(self, text: str, url: str, title: str | None = None) -> str:
        """Write a link's address behind its words."""
        address = html.escape(url)
        return text if address in text else f"{text} ({address})"

    def image(self, text: str, url: str, title: str | None = None) -> str:
        """Show a picture that is attached; of another its words and its address."""
        attached = self.attachments.get(url.removeprefix("attachment:"), {})
        for mime in _PICTURES:
            if is_picture(mime, attached.get(mime)):
                data = "".join(attached[mime].split())
                return f'<img src="data:{mime};base64,{data}" alt="{html.escape(text)}">'
        return f"[picture: {html.escape(text)} ({html.escape(url)})]"

    def block_code(self, code: str, info: str | None = None) -> str:
        """Show code as it is."""
        return f"<pre><code>{html.escape(code)}</code></pre>\n"


_SCORE = re.compile(r"\(Score: ([\d.]+) / ([\d.]+)\)")
_STYLE = """
.output pre { white-space: pre-wrap; overflow-wrap: anywhere; }
#toc li.lost { font-weight: bold; }
"""


class FeedbackPage(HTMLExporter):
    """A page that runs nothing and fetches nothing, whatever its template loads.

    Its list of scores has names, and says whose page it is and what nobody has read yet.
    """

    def from_notebook_node(  # type: ignore[override]
        self, nb: NotebookNode, resources: dict[str, Any] | None = None, **more: Any
    ) -> tuple[str, dict[str, Any]]:
        """Make the page; its scripts, those of the template, are taken out again."""
        text, resources = super().from_notebook_node(nb, resources, **more)
        page = BeautifulSoup(text, features="html.parser")
        for tag in page(["script", "link", "iframe", "object", "embed", "base", "form"]):
            tag.decompose()
        policy = page.new_tag("meta")
        policy.attrs = {"http-equiv": "Content-Security-Policy", "content": _POLICY}
        style = page.new_tag("style")
        style.string = _STYLE
        if page.head:
            page.head.insert(0, policy)
            page.head.append(style)
        _name_scores(page, resources.get("nbgrader", {}))
        return str(page), resources


def _name_scores(page: BeautifulSoup, facts: dict[str, Any]) -> None:
    """Name the entries of nbgrader's list, which all read "Test cell", and mark what was lost."""
    heading = page.select_one(".panel-heading h4")
    if heading and facts.get("student"):
        heading.insert(0, f"{facts['student']}: ")
    for entry in page.select("#toc li"):
        link, score = entry.a, _SCORE.search(entry.text)
        if link is None or score is None:
            continue
        name = str(link.get("href", ""))[1:]
        link.string = name
        if name in facts.get("unread", ()):
            entry.clear()
            entry.extend([link, f" (not read yet, {score[2]} points)"])
        elif float(score[1]) < float(score[2]):
            entry["class"] = "lost"
