"""Submissions that attack the grader: no points, nothing touched, nothing left behind."""

import re
from pathlib import Path

import pytest

from tests import hostile_runs
from tests.hostile_folders import BUILDERS
from tinytorch.course import lesson
from tinytorch.course.hostile import VERBS, attack_notebook, read_attack, read_attacks
from tinytorch.course.project import CourseError
from tinytorch.course.submissions import hand_in, reference_answers

FOLDER = Path(__file__).parents[1] / "submissions" / "hostile"
ATTACKS = read_attacks(FOLDER)
HARMLESS = {"text/plain", "image/png"}
# Right answers that nothing has to compile, graded after each attack in the same worker.
WITNESS = (
    "vectorized_relu",
    "cache_friendly_matmul",
    "parallel_batch_processing",
    "quantized_relu",
)
GUARDS = ("65534", "IN_SANDBOX")
DANGEROUS = re.compile(
    r"os\.(fork|kill|abort|_exit|execv)\b|SIGKILL|SIGSTOP|2\*\*30|unshare|mount\("
)

# In `make test`: one of each kind that does not take its whole time if there is one, and those that
# once got through. `make hostile` tries all.
ONCE_THROUGH = {
    "every_answer_twice",
    "instruments_forged",
    "kernel_settings",
    "trace_counts_forged",
}
HALF_A_MINUTE = {"callback_a_million_times", "endless_calls"}  # and more, without a timeout

needs_sandbox = pytest.mark.usefixtures("sandbox")


def named(attack):
    return attack.slug


def marked(attacks):
    """The attacks as parameters, most of them as long tests."""
    first = {}

    def dearest_last(attack):
        return attack.slug in HALF_A_MINUTE, "timeout" in attack.states, attack.slug

    for attack in sorted(attacks, key=dearest_last):
        first.setdefault(attack.kind, attack.slug)
    always = ONCE_THROUGH | set(first.values())
    return [
        pytest.param(attack, marks=() if attack.slug in always else pytest.mark.long)
        for attack in attacks
    ]


@pytest.fixture(scope="module")
def course(released, tmp_path_factory):
    return hostile_runs.throwaway(released, tmp_path_factory.mktemp("hostile") / "course")


@pytest.fixture(scope="module")
def honest(course):
    """A submission with the reference's answers, and the processes that the grader keeps."""
    hand_in(course, hostile_runs.ASSIGNMENT, "honest", {})
    right = reference_answers(course.notebook(hostile_runs.ASSIGNMENT))
    some = {name: right[name] for name in WITNESS}
    hand_in(course, hostile_runs.ASSIGNMENT, "witness", some, base="stubs")
    record = hostile_runs.graded(course, "honest")
    assert_full_marks(record)
    return hostile_runs.descendants()


def assert_full_marks(record, answers=None):
    """Of all answers, or of these."""
    assert record["state"] == "graded", record["reason"]
    scores = {
        name: pair
        for name, pair in record["scores"].items()
        if answers is None or lesson.tested_answer(name) in answers
    }
    assert scores and not {name: pair for name, pair in scores.items() if pair[0] != pair[1]}


@needs_sandbox
@pytest.mark.parametrize("attack", marked(ATTACKS), ids=named)
def test_attack_gains_nothing_and_leaves_nothing(attack, course, honest, monkeypatch):
    monkeypatch.setenv("HOSTILE_CANARY", "canary")
    before = hostile_runs.fingerprint(course)
    hostile_runs.hand_in_anew(course, attack, "attacker")
    try:
        record = hostile_runs.graded(course, "attacker", hostile_runs.LIMITS)
    finally:
        hostile_runs.remove_submission(course, "attacker")

    gained = {name: pair for name, pair in record["scores"].items() if pair[0] != 0}
    assert not gained
    assert record["scores"] and all(most > 0 for _, most in record["scores"].values())
    assert record["state"] in attack.states, record["reason"]
    assert bool(record["reason"]) == (record["state"] == "refused")
    if attack.cells and record["state"] != "refused":
        assert set(attack.cells) & set(record["cells"].values())
    assert_outputs_are_harmless(record)
    assert hostile_runs.fingerprint(course) == before
    assert not hostile_runs.still_running(hostile_runs.descendants() - honest)
    if record["state"] != "timeout":
        assert record["seconds"]["all"] < hostile_runs.LIMITS["submission"]
    assert_full_marks(hostile_runs.graded(course, "witness"), WITNESS)


@needs_sandbox
def test_the_reference_still_gets_full_marks(course, honest):
    assert_full_marks(hostile_runs.graded(course, "honest"))


def assert_outputs_are_harmless(record):
    """Nothing that a browser would act on, nothing that was not the student's to read, not much."""
    for output in hostile_runs.outputs_of(record):
        kinds = set(output.get("data", {}))
        assert kinds <= HARMLESS
        text = str(output.get("text", "")) + str(output.get("data", {}).get("text/plain", ""))
        text += str(output.get("evalue", "")) + str(output.get("traceback", ""))
        assert "LOOT" not in text
    assert len(record["executed"] or "") < 30_000_000


def test_there_are_attacks_of_every_kind():
    kinds = {attack.kind for attack in ATTACKS}
    assert len(ATTACKS) >= 70
    assert kinds >= {
        "transformers", "hooks", "equal objects", "patches", "looking", "imports", "reading",
        "triggers", "processes", "channel", "frames", "exceptions", "flooding", "memory", "files",
        "network", "processor time", "exits", "escapes", "callbacks", "metadata", "mechanism",
        "feedback",
    }  # fmt: skip


@pytest.mark.parametrize("attack", ATTACKS, ids=named)
def test_attack_can_be_handed_in(attack, released):
    name = released.notebook(hostile_runs.ASSIGNMENT).name
    notebook = attack_notebook(released.release / hostile_runs.ASSIGNMENT / name, attack)
    assert notebook.cells
    assert {edit.name for edit in attack.builders} <= set(BUILDERS)


@pytest.mark.parametrize("attack", ATTACKS, ids=named)
def test_dangerous_lines_run_in_a_sandbox_only(attack):
    source = attack.path.read_text(encoding="utf-8")
    if DANGEROUS.search(source) and attack.slug != "excepthook_exits_with_success":
        assert any(guard in source for guard in GUARDS)
        assert not attack.safe
    if not attack.safe:
        assert (
            attack.builders or any(guard in source for guard in GUARDS) or "use channel" in source
        )


HEAD = (
    "# base: stubs\n# About.\n# class: x\n# gains: y\n# ends: graded, died\n# safe_in_process: no\n"
)


def test_an_entry_is_read(tmp_path):
    path = tmp_path / "one.py"
    path.write_text(f"{HEAD}\n# %% double\ntwice\n\n# %% after setup\nx = 1\n# %% delete test\n")
    attack = read_attack(path)
    assert (attack.states, attack.cells, attack.safe) == (("graded",), ("died",), False)
    assert attack.answers == {"double": "twice"}
    assert [tuple(vars(edit).values()) for edit in attack.edits] == [
        ("after", "setup", "x = 1"),
        ("delete", "test", ""),
    ]


@pytest.mark.parametrize(
    "text",
    [
        HEAD,
        HEAD.replace("stubs", "nothing") + "# %% a\n1\n",
        HEAD.replace("graded, died", "won") + "# %% a\n1\n",
        HEAD.replace("no\n", "perhaps\n") + "# %% a\n1\n",
        HEAD + "# %% a\n1\n# %% a\n2\n",
        HEAD + "# %% after\n1\n",
        HEAD + "# %% last of all\n1\n",
        HEAD + "# %% under setup\n1\n",
        "# %% a\n1\n",
    ],
    ids=["no cells", "base", "end", "safe", "twice", "no name", "a name", "verb", "no head"],
)
def test_a_malformed_entry_is_named(text, tmp_path):
    path = tmp_path / "bad.py"
    path.write_text(text)
    with pytest.raises(CourseError, match=r"bad\.py"):
        read_attack(path)


def test_every_verb_is_used():
    assert {edit.verb for attack in ATTACKS for edit in attack.edits} == set(VERBS)
