"""Kill -9 of every kind of process while a class is graded: the grades are the undisturbed ones.

`make kills` does the same to a class of sixty, fifty times; kill_runs.py says how. The moments are
counted in what happens, and a class that is graded before the kills are over begins anew.
"""

import random
from collections import deque

import pytest

from tests import kill_runs as runs

pytestmark = pytest.mark.usefixtures("sandbox")
PAIRS = (
    ("killing", "slow"),
    ("slow", "wrong"),
    ("raising", "slow"),
    ("slow", "leaving"),
    ("unanswered", "noisy"),
)


@pytest.fixture(scope="module")
def family():
    with runs.Family() as family:
        yield family


@pytest.fixture(scope="module")
def template(repo, tmp_path_factory, empty_gradebook):
    project = runs.make_course(repo, tmp_path_factory.mktemp("kills") / "class", empty_gradebook)
    runs.write_class(project, PAIRS)
    return project


@pytest.fixture(scope="module")
def undisturbed(template, family):
    project = runs.copied(template, template.root.parent / "undisturbed")
    fire = runs.Fire(project, deque(), random.Random(0), family)
    outcome = fire.run("--workers", "2")
    assert not outcome.faults and not outcome.restarts, outcome
    assert len(fire.nurseries) == 1, "the workers have judges forked where the reference had"
    return project


def hunt(template, undisturbed, family, roles, *words):
    """Kill one process of each role, in as many gradings of the class as that takes."""
    chance = random.Random(2026)
    kills = deque(runs.Kill(role, events=chance.randrange(1, 12)) for role in roles)
    chance.shuffle(kills)
    seed = ("--seed", str(runs.seed_of(undisturbed)))
    rounds = 0
    while kills:
        rounds += 1
        project = runs.copied(template, template.root.parent / f"{roles[1]}{rounds}")
        outcome = runs.Fire(project, kills, chance, family).run(*words, *seed)
        assert not outcome.faults, outcome
        assert not runs.differences(project, undisturbed)


def test_a_process_of_every_kind_may_be_killed(template, undisturbed, family):
    hunt(template, undisturbed, family, runs.HERE, "--workers", "1")
    assert not family.left()


def test_a_dask_worker_may_be_killed(template, undisturbed, family):
    pytest.importorskip("distributed", reason="distributed is not installed: [cluster]")
    with runs.dask_cluster(family, template) as address:
        hunt(template, undisturbed, family, ["Dask worker", "child"], "--scheduler", address)
    assert not family.left()


def test_an_undisturbed_run_leaves_no_folder(undisturbed):
    assert not list(runs.room_of(undisturbed).glob("grading-*"))


def test_who_kills_himself_has_his_own_points_to_lose(undisturbed):
    found = runs.verdicts(undisturbed)["student00"]
    assert found["cells"] == {
        "test_one": "died",
        "test_one_hidden": "died",
        "test_two": "passed",
        "test_two_hidden": "passed",
    }
