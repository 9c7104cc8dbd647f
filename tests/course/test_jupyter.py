"""A Jupyter server started in the course folder: formgrader and the Validate button answer."""

import sysconfig
from pathlib import Path

import pytest
import requests
from urllib3 import Retry

from tests.jupyter_servers import jupyter_server
from tinytorch.course.release import release


@pytest.fixture
def submitted(tiny):
    """The tiny course, released, with ana's untouched copy handed in."""
    release(tiny, "01_double")
    (tiny.submitted / "ana").mkdir(parents=True)
    (tiny.release / "01_double").rename(tiny.submitted / "ana" / "01_double")
    release(tiny, "01_double")
    return tiny


@pytest.fixture
def ask(submitted):
    """A function that sends a request to a server started in that course, and reads JSON."""
    command = [Path(sysconfig.get_path("scripts"), "jupyter-server")]
    with jupyter_server(command, submitted.root, submitted.root.parent) as server:
        session = requests.Session()
        session.trust_env = False
        session.headers["Authorization"] = f"token {server.token}"
        # The server says that it runs before it listens: ask again until it does.
        session.mount(
            "http://",
            requests.adapters.HTTPAdapter(max_retries=Retry(connect=8, backoff_factor=0.2)),
        )

        def send(path: str, data: dict | None = None):
            method = "GET" if data is None else "POST"
            answer = session.request(
                method, f"http://127.0.0.1:{server.port}/{path}", json=data, timeout=120
            )
            assert answer.ok, (answer.text, server.log.read_text())
            return answer.json()

        yield send


@pytest.mark.usefixtures("sandbox")
def test_formgrader_and_validate_work_from_the_root(ask, tiny):
    [assignment] = ask("formgrader/api/assignments")
    assert (assignment["name"], assignment["status"]) == ("01_double", "draft")
    assert assignment["max_score"] == 3.0
    assert assignment["num_submissions"] == 1

    answer = ask("formgrader/api/assignment/01_double/assign", {})
    assert answer["success"], answer
    answer = ask("formgrader/api/assignment/01_double/release", {})
    assert answer["success"], answer
    assert (tiny.root / "exchange" / "tinytorch" / "outbound" / "01_double").is_dir()

    answer = ask("assignments/validate", {"path": "release/01_double/double_dev.ipynb"})
    assert answer["success"], answer
    [failed] = answer["value"]["failed"]
    assert "double is not written yet" in failed["error"]

    answer = ask("formgrader/api/submission/01_double/ana/autograde", {})
    assert answer["success"], answer
    [graded] = ask("formgrader/api/submissions/01_double")
    assert (graded["id"] is not None, graded["score"], graded["max_score"]) == (True, 0.0, 3.0)
