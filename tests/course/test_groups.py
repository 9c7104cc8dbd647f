"""Control groups: made where the kernel lets them be made, and what they keep in bounds."""

import os
import subprocess
import sys

import pytest

from tinytorch.course import groups

GREEDY = "import sys; sys.stdin.read(1); x = bytearray(200 << 20); print(len(x))"
MANY = """
import sys, threading
sys.stdin.read(1)
try:
    for _ in range(30):
        threading.Thread(target=threading.Event().wait, daemon=True).start()
except RuntimeError:
    print("no more")
"""


@pytest.fixture
def group():
    made = groups.make(64 << 20, 20)
    if made is None:
        pytest.skip("no control group can be made here")
    yield made
    made.close()
    assert not any(folder.exists() for folder in made.folders)


def run_in(group, program):
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        group.add(process.pid)
        said, _ = process.communicate("x")
    return process.returncode, said


def test_the_kernel_ends_what_takes_too_much_memory(group):
    assert group.excess() == ""
    assert run_in(group, GREEDY) == (-9, "")
    assert group.excess() == "more memory than is allowed"


def test_the_kernel_refuses_too_many_threads(group):
    assert run_in(group, MANY) == (0, "no more\n")
    assert group.excess() == "more processes and threads than are allowed"
    assert groups.Group.of(group.told()) == group


@pytest.fixture
def system(tmp_path):
    """Files as proc and sys have them; what is written to a group can be read there."""

    def build(own, mounts, passed_on=None):
        proc = tmp_path / "proc" / "self"
        proc.mkdir(parents=True)
        (proc / "cgroup").write_text(own)
        (proc / "mounts").write_text(mounts)
        for folder, controllers in (passed_on or {}).items():
            path = tmp_path / "sys/fs/cgroup" / folder
            path.mkdir(parents=True, exist_ok=True)
            (path / "cgroup.subtree_control").write_text(controllers)
        return tmp_path

    return build


V1 = "".join(f"cgroup /sys/fs/cgroup/{kind} cgroup rw,{kind} 0 0\n" for kind in ("memory", "pids"))
V2 = "cgroup2 /sys/fs/cgroup cgroup2 rw 0 0\nproc /proc proc rw 0 0\n"


def test_version_2_is_made_in_the_nearest_group_that_passes_both_limits_on(system):
    passed_on = {"": "cpu memory pids\n", "user": "memory pids\n", "user/app": "cpu\n"}
    root = system("0::/user/app\n", V2, passed_on)
    made = groups.make(1 << 30, 400, root)
    assert made.folders == [root / "sys/fs/cgroup/user" / made.memory.name]
    written = {path.name: path.read_text() for path in made.memory.iterdir()}
    assert written == {"memory.max": str(1 << 30), "pids.max": "400", "memory.swap.max": "0"}
    made.add(7)
    assert (made.memory / "cgroup.procs").read_text() == "7"
    (made.memory / "memory.events").write_text("oom 1\noom_kill 2\n")
    assert made.excess() == "more memory than is allowed"


def test_what_the_computer_ended_for_want_of_memory_took_no_more_than_is_allowed(system):
    made = groups.make(1 << 30, 400, system("0::/\n", V2, {"": "memory pids\n"}))
    (made.memory / "memory.events").write_text("oom 0\noom_kill 1\n")
    assert made.excess() == ""


def test_version_1_tells_its_own_limit_from_the_computers(system):
    root = system("3:pids:/\n2:memory:/user\n", V1, {"memory/user": "", "pids": ""})
    made = groups.make(1 << 30, 400, root)
    assert [folder.parent for folder in made.folders] == [
        root / "sys/fs/cgroup/memory/user",
        root / "sys/fs/cgroup/pids",
    ]
    (made.memory / "memory.oom_control").write_text("under_oom 0\noom_kill 1\n")
    (made.memory / "memory.max_usage_in_bytes").write_text(str(1 << 29))
    assert made.excess() == ""
    (made.memory / "memory.max_usage_in_bytes").write_text(str(1 << 30))
    assert made.excess() == "more memory than is allowed"


def test_where_nothing_is_passed_on_there_is_none(system):
    assert groups.make(1 << 30, 400, system("0::/user\n", V2, {"": "cpu\n", "user": "\n"})) is None


def test_without_control_groups_there_is_none(system):
    assert groups.make(1 << 30, 400, system("", "proc /proc proc rw 0 0\n")) is None


def test_what_a_killed_grader_left_is_swept_away(system):
    root = system("0::/\n", V2, {"": "memory pids\n"})
    parent = root / "sys/fs/cgroup"
    mine, others = parent / f"tinytorch-{os.getpid()}-0", parent / "tinytorch-1234567-0"
    mine.mkdir(), others.mkdir()
    (root / "proc" / str(os.getpid())).mkdir()
    groups.make(1 << 30, 400, root)
    assert mine.is_dir() and not others.exists()


def test_where_it_is_forbidden_there_is_none_at_once(system, monkeypatch):
    root = system("0::/\n", V2, {"": "memory pids\n"})

    def mkdir(*_, **__):
        raise PermissionError

    waited = []
    monkeypatch.setattr(groups.time, "sleep", waited.append)
    monkeypatch.setattr(groups.Path, "mkdir", mkdir)
    assert groups.make(1 << 30, 400, root) is None
    assert not waited
