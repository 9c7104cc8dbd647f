"""The pages made of a submission: whatever it holds, they run nothing and fetch nothing of it.

The submission is graded as trusted, so that its outputs come from a kernel, of any kind; what a
sandbox keeps of outputs is less.
"""

import base64
import os
import shutil
import struct
import sysconfig
import zlib
from contextlib import contextmanager
from pathlib import Path

import nbformat
import pytest
import requests
from bs4 import BeautifulSoup
from class_courses import change, make_pair_course
from nbformat.v4 import new_code_cell, new_markdown_cell, new_output, new_raw_cell
from nbgrader.api import Gradebook
from urllib3 import Retry

from tests.jupyter_servers import jupyter_server
from tinytorch.course import batch, feedback_pages, pages
from tinytorch.course.build import build
from tinytorch.course.pictures import MAX_ENCODED, MAX_SIDE, is_picture
from tinytorch.course.release import generate
from tinytorch.course.submissions import hand_in

A, NB = "02_pair", "pair_dev"
THEIRS = "http://attacker.invalid"
RUN = f"window.ran = 1; document.title = 'RAN'; fetch('{THEIRS}/fetched')"


def png(width=2, height=2):
    """A picture of one grey, as bytes."""

    def chunk(name, content):
        return (
            struct.pack(">I", len(content))
            + name
            + content
            + struct.pack(">I", zlib.crc32(name + content))
        )

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    rows = zlib.compress(b"".join(b"\0" + b"\x80" * width for _ in range(min(height, 9))))
    parts = chunk(b"IHDR", head), chunk(b"IDAT", rows), chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


PNG = base64.b64encode(png()).decode()
# As text, as a raw cell, as HTML, and in every other place that takes a text.
ATTACKS = (
    f"<script>{RUN}</script>",
    f'<img src=x onerror="{RUN}">',
    f'<img src="{THEIRS}/picture.png">',
    f'<svg onload="{RUN}"><script>{RUN}</script><image href="{THEIRS}/svg.png"/></svg>',
    f'<iframe src="{THEIRS}/frame"></iframe><iframe srcdoc="<script>{RUN}</script>"></iframe>',
    f'<object data="{THEIRS}/object"></object><embed src="{THEIRS}/embed">',
    f'<link rel=stylesheet href="{THEIRS}/style.css"><base href="{THEIRS}/">',
    f'<meta http-equiv=refresh content="0; url={THEIRS}/refresh">',
    f"<style>@import url({THEIRS}/import.css); body {{display: none}}</style>",
    f'<div style="background: url({THEIRS}/css.png); position: fixed; inset: 0">over all</div>',
    f'<form action="{THEIRS}/form"><input autofocus onfocus="{RUN}"><button>go</button></form>',
    f'<details open ontoggle="{RUN}"><summary>more</summary></details>',
    f'<video src="{THEIRS}/v.mp4" poster="{THEIRS}/p.png"></video><audio src="{THEIRS}/a.mp3">',
    f'<a href="javascript:{RUN}">a link</a> [a link](javascript:alert(1)) [x](data:text/html,1)',
    f"[a link](files/javascript:alert(1)) ![]({THEIRS}/markdown.png) <{THEIRS}/auto>",
    f'[two][lines]\n\n[lines]: javascript:alert(1) "t\\" onclick=\'{RUN}\'"',
    f'<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=1 '
    f'onerror={RUN}&gt;">',
    f"<noscript><p title=\"</noscript><img src=x onerror='{RUN}'>\"></noscript>",
    f"```html\n<script>{RUN}</script>\n```\n```mermaid\n</pre><script>{RUN}</script>\n```",
    f"</div></pre></code></script></style></textarea></title><script>{RUN}</script>",
    "$\\href{javascript:alert(1)}{x}$ $$</script><script>window.ran = 1</script>$$",
    f'<p class="score save-icon full-credit" id="answer_why" name="x" data-link="y">named</p>'
    f'<button class="full-credit" onclick="{RUN}">Full credit</button>',
    f'![t](attachment:x.svg) ![t](attachment:x.png) ![" onerror="{RUN}](attachment:none.png)',
)
OUTPUTS = f"""\
from IPython.display import HTML, SVG, Javascript, Latex, Markdown, publish_display_data
ATTACKS = {ATTACKS!r}
for text in ATTACKS:
    display(HTML(text), Markdown(text), Latex(text))
    print(text)
    publish_display_data({{"image/png": '"><script>window.ran = 1</script>', "text/plain": text}},
                         metadata={{"image/png": {{"width": '1" onload="window.ran = 1'}}}})
display(Javascript({RUN!r}), SVG("<svg xmlns='http://www.w3.org/2000/svg' onload='1'/>"))
display(HTML(ATTACKS[0]), metadata={{"text/html": {{"isolated": True}}}})
publish_display_data({{"application/vnd.jupyter.widget-view+json": {{"model_id": ATTACKS[0]}}}})
publish_display_data({{"text/vnd.mermaid": ATTACKS[0]}})
print("\\x1b]8;;javascript:alert(1)\\x07click\\x1b]8;;\\x07 \\x1b[31mred\\x1b[0m")
import sys; print(ATTACKS[0], file=sys.stderr)
class Shown:
    def _repr_html_(self): return ATTACKS[1]
    def __repr__(self): return ATTACKS[1]
Shown()
"""
RAISES = f"def two():\n    raise type({ATTACKS[1]!r}, (ValueError,), {{}})({' '.join(ATTACKS)!r})"


def filled(notebook, cells):
    """Hostile text in every place of a notebook."""
    text = "\n\n".join(ATTACKS)
    where = notebook.cells.index(cells["one"])
    own = [new_markdown_cell(attack) for attack in ATTACKS]
    own += [new_raw_cell(text), new_raw_cell(text, metadata={"raw_mimetype": "text/html"})]
    own += [new_code_cell(OUTPUTS, metadata={"tags": [ATTACKS[1]], "name": ATTACKS[1]})]
    own += [new_code_cell(f"raise ValueError({text!r})"), new_code_cell(f"# {ATTACKS[0]}")]
    for cell in own:
        cell.metadata["nbgrader"] = {"comment": ATTACKS[0], "grade_id": f'"><script>{RUN}</script>'}
        cell.metadata["magics_language"] = ATTACKS[1]
    notebook.cells[where:where] = own
    cells["answer_why"].source = f"![a good one](attachment:good.png)\n\n{text}"
    cells["answer_why"]["attachments"] = {
        "x.svg": {"image/svg+xml": f"<svg onload='{RUN}'/>"},
        "x.png": {"image/png": f'"><script>{RUN}</script>', "text/html": ATTACKS[0]},
        "good.png": {"image/png": PNG},
    }
    notebook.metadata.update(
        title=ATTACKS[0],
        authors=[{"name": ATTACKS[0]}],
        kernelspec={"name": ATTACKS[1], "display_name": ATTACKS[1], "language": ATTACKS[1]},
        language_info={"name": ATTACKS[1], "pygments_lexer": ATTACKS[1]},
        widgets={"application/vnd.jupyter.widget-state+json": {"state": {"x": ATTACKS[0]}}},
    )


@pytest.fixture(scope="module")
def course(repo, tmp_path_factory, empty_gradebook):
    """A course with a student whose notebook is hostile all over, graded, with its page."""
    project = make_pair_course(repo, tmp_path_factory.mktemp("pages") / "course", empty_gradebook)
    # Where formgrader's server runs, the working directory is first on sys.path.
    parts = repo / "tinytorch" / "course", project.root / "tinytorch" / "course"
    shutil.copytree(*parts, ignore=shutil.ignore_patterns("__pycache__"))
    build(project)
    generate(project, A)
    change(hand_in(project, A, "mallory", {"two": RAISES}), filled)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(batch, "check_reference", lambda *_, **__: None)
        (outcome,) = batch.grade(project, A, trusted=True)
    assert outcome.state == "graded", outcome
    (page,) = feedback_pages.feedback(project, A)
    assert page.state == "graded", page
    return project


@pytest.fixture(scope="module")
def page(course):
    return course.feedback / "mallory" / A / f"{NB}.html"


@pytest.fixture(scope="module")
def soup(page):
    return BeautifulSoup(page.read_text(encoding="utf-8"), "html.parser")


def test_the_submission_holds_what_the_page_must_not_show(course):
    """Else an empty page would pass."""
    executed = (course.autograded / "mallory" / A / f"{NB}.ipynb").read_text()
    for kind in ("text/html", "application/javascript", "image/svg+xml", "onerror", "iframe"):
        assert kind in executed


def test_a_written_answer_that_waits_for_its_reader_says_so(soup):
    assert "answer_why (not read yet, 5.0 points)" in [li.text for li in soup.select("#toc li")]


def test_a_feedback_page_has_nothing_that_a_browser_acts_on(soup):
    active = "script link iframe object embed form input button base svg math video audio style"
    found = {tag.name for tag in soup.body(active.split())}
    assert not found
    assert len(soup("meta", attrs={"http-equiv": True})) == 1


def test_a_feedback_page_has_no_handler_and_no_address_of_a_submission(soup):
    for tag in soup(True):
        for name, value in tag.attrs.items():
            assert not name.startswith("on")
            if name in ("href", "src", "action", "data", "poster", "srcdoc", "srcset"):
                assert value.startswith(("#", "data:image/png;base64,"))
            if name == "style":
                assert tag.find_parent("pre") or tag.name == "span"


def test_its_pictures_are_the_checked_ones(soup):
    assert {tag["src"] for tag in soup("img") if "src" in tag.attrs} == {
        f"data:image/png;base64,{PNG}"
    }


def test_its_text_is_what_the_student_wrote(soup):
    said = soup.get_text()
    assert ATTACKS[0] in said
    assert "over all" in said and "named" in said and f"{THEIRS}/markdown.png" in said


def test_a_text_may_not_take_the_names_that_scripts_go_by(soup):
    text = soup.find(string=lambda s: s.strip() == "named").parent
    assert text.attrs == {}


def test_a_cell_is_shown_as_long_as_it_can_be_laid_out():
    for source in ("x" * 50_000, "<b>" * 6_000, "![p](attachment:none.png)"):
        assert "<script" not in pages.markdown2html({}, f"{source}<script>1</script>")


def test_an_unknown_output_is_left_out():
    outputs = [
        new_output("display_data", data={"text/html": "<b>", "image/svg+xml": "<svg/>"}),
        new_output("execute_result", data={"image/png": PNG, "text/plain": "x", "text/html": "y"}),
    ]
    notebook = nbformat.v4.new_notebook(cells=[new_code_cell("1", outputs=outputs)])
    kept, _ = pages.TextAndPictures().preprocess(notebook, {})
    assert [output.data for output in kept.cells[0].outputs] == [
        {"image/png": PNG, "text/plain": "x"}
    ]


@pytest.mark.parametrize(
    ("content", "holds"),
    [
        (png(), True),
        (png(MAX_SIDE, 1), True),
        (png(MAX_SIDE + 1, 1), False),
        (png(9_000, 9_000), False),
        (png(0, 1), False),
        (png() + b"<script>", False),
        (png()[:-4], False),
        (png()[:20], False),
        (b"\x89PNG\r\n\x1a\n<script>", False),
        (b"<svg/>", False),
        (b"GIF89a", False),
        (b"", False),
    ],
)
def test_a_png_is_known_by_its_bytes(content, holds):
    assert is_picture("image/png", base64.b64encode(content).decode()) is holds


@pytest.mark.parametrize("encoded", ['"><script>', "ä", None, ["iVBOR"], "A" * (MAX_ENCODED + 1)])
def test_what_is_no_base64_is_no_picture(encoded):
    assert not is_picture("image/png", encoded)


# With a browser.

REQUIRED = os.environ.get("BROWSER_TESTS") == "required"


@pytest.fixture(scope="module")
def browser():
    """A Chromium; the tests are skipped where there is none, as in test_browser.py."""
    if not REQUIRED:
        pytest.importorskip("playwright", reason="playwright is not installed")
    from tests.browser import chromium, started

    if chromium() is None:
        missing = "no Chromium on this machine ($CHROMIUM, or chromium on PATH)"
        (pytest.fail if REQUIRED else pytest.skip)(missing)
    with started() as browser:
        yield browser


@contextmanager
def watched(browser, allowed, **options):
    """A page, and what it asked for elsewhere than below `allowed`; that does not leave here."""
    context = browser.new_context(**options)
    page, asked, said = context.new_page(), [], []
    page.on("dialog", lambda dialog: (said.append(dialog.message), dialog.dismiss()))

    def handle(route):
        if route.request.url.startswith(allowed):
            route.continue_()
        else:
            asked.append(route.request.url)
            route.abort()

    page.route("**/*", handle)
    yield page, asked, said
    context.close()


# Without the page's own policy too: what it forbids must not be there in the first place.
@pytest.mark.parametrize("bypass", [False, True], ids=["as it is", "without its policy"])
def test_a_feedback_page_runs_and_fetches_nothing(browser, page, bypass):
    with watched(browser, page.as_uri(), bypass_csp=bypass) as (shown, asked, said):
        shown.goto(page.as_uri())
        shown.wait_for_load_state("networkidle")
        assert "pair_dev (Score:" in shown.locator("body").inner_text()
        assert shown.evaluate("window.ran") is None
        assert shown.title() == NB
        assert (asked, said) == ([], [])
        assert shown.locator("img[alt='a good one']").evaluate("e => e.naturalWidth") == 2


def test_formgraders_page_runs_and_fetches_nothing_of_a_submission(browser, course):
    with Gradebook(course.gradebook_url) as book:
        number = book.find_submission_notebook(NB, A, "mallory").id
    command = [Path(sysconfig.get_path("scripts"), "jupyter-server")]
    with jupyter_server(command, course.root, course.root.parent) as server:
        root = f"http://127.0.0.1:{server.port}/"
        address = f"{root}formgrader/submissions/{number}/?token={server.token}"
        session = requests.Session()
        session.trust_env = False
        retry = requests.adapters.HTTPAdapter(max_retries=Retry(connect=8, backoff_factor=0.2))
        session.mount("http://", retry)
        answer = session.get(address, timeout=120)
        assert answer.ok, server.log.read_text()
        with watched(browser, root) as (shown, asked, said):
            shown.goto(address)
            shown.wait_for_load_state("networkidle")
            assert shown.locator("input.score").count() == 5
            assert shown.evaluate("window.ran") is None
            assert shown.title() == NB
            # nbgrader's own template loads MathJax.
            assert [url for url in asked if "mathjax" not in url] == []
            assert said == []
            assert shown.locator("#notebook img[alt='a good one']").count() == 1
            active = "script[src], iframe, form, svg, [onclick], [onerror], [data-link]"
            assert shown.locator("#notebook").locator(active).count() == 0
            assert shown.locator(".full-credit").count() == 5
