"""A class on a Dask cluster of two worker processes on this computer."""

import os

import class_tasks
import pytest
from class_courses import grade, states, trouble, write_class

from tinytorch.course import dispatch
from tinytorch.course.project import CourseError

distributed = pytest.importorskip("distributed", reason="distributed is not installed: [cluster]")
NAMES = [f"student{n}" for n in range(8)]


@pytest.fixture(scope="module")
def cluster():
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
    ) as cluster:
        yield cluster


def on_workers(cluster, name, value):
    """Tell the workers too: they run since before the test."""
    with distributed.Client(cluster, set_as_default=False) as client:
        client.run(class_tasks.tell, name, value)


def test_a_class_is_graded_there(cluster, little_class):
    write_class(little_class, NAMES, wrong=NAMES[:2])
    workers = dispatch.cluster(cluster.scheduler_address)
    assert workers.in_flight == 4
    outcomes = grade(little_class, workers=workers)
    assert [outcome.score for outcome in outcomes] == [1, 1, 3, 3, 3, 3, 3, 3]
    again = grade(little_class, workers=dispatch.cluster(cluster.scheduler_address))
    assert set(states(again).values()) == {"skipped"}


def test_a_lost_worker_loses_nobody(cluster, little_class, tmp_path, monkeypatch):
    write_class(little_class, NAMES)
    times = trouble(tmp_path, monkeypatch, student3=["kill", 2])
    on_workers(cluster, "TINYTORCH_TEST_TROUBLE", os.environ["TINYTORCH_TEST_TROUBLE"])
    outcomes = grade(little_class, workers=dispatch.cluster(cluster.scheduler_address))
    assert set(states(outcomes).values()) == {"graded"}
    assert times("student3") >= 2


def test_no_scheduler_is_said(monkeypatch):
    monkeypatch.setattr(dispatch, "CONNECT", "1s")
    with pytest.raises(CourseError, match="No scheduler answers"):
        dispatch.cluster("tcp://127.0.0.1:1")
