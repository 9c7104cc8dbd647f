"""A sandbox seen from outside: its processes, their memory and their processor time."""

import os
import signal
import subprocess
import sys
from contextlib import contextmanager, suppress

import pytest

from tinytorch.course.watch import Most, Watch

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="what is watched is a sandbox, and that is Linux"
)
MIB = 1 << 20
BEGIN = """\
import os, sys, threading, time
def say(word="ready"):
    print(word, flush=True)
def wait():
    sys.stdin.readline()
"""


@contextmanager
def running(program):
    """A process that has said a word, and goes on when it is told to; with it ends all it began."""
    process = subprocess.Popen(
        [sys.executable, "-S", "-E", "-c", BEGIN + program],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        said(process)
        yield process
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def said(process):
    word = process.stdout.readline().strip()
    assert word, "the process has ended before it said anything"
    return word


def go_on(process):
    process.stdin.write("\n")
    process.stdin.flush()
    return said(process)


@pytest.fixture(scope="module")
def watch():
    """Watches a process as the one that went into a sandbox; the sandbox's first one is idle."""
    with running("say()\nwait()") as first:
        yield lambda process: Watch(first.pid, process.pid)


def test_children_and_their_children_belong_to_it(watch):
    program = """
if os.fork() == 0:
    if os.fork() == 0:
        say(str(os.getpid()))
        time.sleep(600)
    time.sleep(600)
wait()
"""
    with running(program) as process:
        found = watch(process).processes()
        assert len(found) == 3 and found[0] == process.pid


def test_nobody_beside_it_does(watch):
    with running("say()\nwait()") as one, running("say()\nwait()") as other:
        seen = watch(one)
        assert other.pid not in seen.processes() and os.getpid() not in seen.processes()


def test_who_only_waits_is_left_out():
    with running("say()\nwait()") as first, running("say()\nwait()") as entered:
        assert Watch(first.pid, entered.pid).processes() == [entered.pid]
        assert Watch(first.pid, entered.pid, [entered.pid]).processes() == []


def test_who_lost_its_parent_is_found_below_the_first():
    program = """
import ctypes
ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)  # orphans come here, as to a sandbox's first process
if os.fork() == 0:
    os.fork() or time.sleep(600)
    os._exit(0)
os.wait()
say()
wait()
"""
    with running(program) as first, running("say()\nwait()") as entered:
        found = Watch(first.pid, entered.pid).processes()
        assert len(found) == 2 and found[0] == entered.pid


BURN = """
def burn(seconds):
    until = time.thread_time() + seconds
    while time.thread_time() < until:
        pass
"""


def test_processor_time_of_all_is_counted_after_their_end_too(watch):
    program = (
        BURN
        + """
say()
wait()
if os.fork() == 0:
    burn(0.2)
    os._exit(0)
os.wait()
burn(0.2)
say()
wait()
"""
    )
    with running(program) as process:
        seen = watch(process)
        before = seen.cpu_seconds()
        go_on(process)
        assert seen.cpu_seconds() - before >= 0.38  # of the ended, in hundredths


def test_who_sleeps_uses_none(watch):
    program = "say()\nwait()\ntime.sleep(0.5)\nsay()\nwait()"
    with running(program) as process:
        seen = watch(process)
        before = seen.cpu_seconds()
        go_on(process)
        assert seen.cpu_seconds() - before < 0.4


def test_the_busy_threads_are_told_from_the_idle(watch):
    program = (
        BURN
        + """
def work():
    burn(0.3)
    say(str(threading.get_native_id()))
    time.sleep(600)
threading.Thread(target=time.sleep, args=(600,), daemon=True).start()
threading.Thread(target=work, daemon=True).start()
wait()
"""
    )
    with running(program) as process:
        busy = watch(process).busy_threads()
        assert len(busy) == 3
        assert max(busy, key=busy.get) != process.pid and max(busy.values()) >= 0.29
        assert sorted(busy.values())[0] < 0.2


def test_memory_beyond_the_beginning_is_noticed(watch):
    program = f"say()\nwait()\nkept = bytearray({96 * MIB})\nsay()\nwait()"
    with running(program) as process:
        seen, most = watch(process), Most(memory=64 * MIB)
        assert seen.excess(most) == ""
        go_on(process)
        assert "MiB of memory, at most 64 are allowed" in seen.excess(most)
        assert seen.excess(Most(memory=256 * MIB)) == ""


def three_forks(before="pass", inside="pass"):
    return f"""
{before}
say()
wait()
for _ in range(3):
    if os.fork() == 0:
        {inside}
        say()
        time.sleep(600)
wait()
"""


def test_memory_of_many_counts_together(watch):
    program = three_forks(inside=f"kept = bytearray({32 * MIB})")
    with running(program) as process:
        seen, most = watch(process), Most(memory=64 * MIB)
        assert seen.excess(most) == ""
        go_on(process), said(process), said(process)
        assert "MiB of memory, at most 64 are allowed" in seen.excess(most)


def test_what_a_fork_shares_is_not_counted_again(watch):
    program = three_forks(before=f"kept = bytearray({96 * MIB})")
    with running(program) as process:
        seen, most = watch(process), Most(memory=64 * MIB)
        assert seen.excess(most) == ""
        go_on(process), said(process), said(process)
        assert seen.excess(most) == "" and len(seen.processes()) == 4


def test_no_process_has_memory_for_nothing_because_the_first_has_much(watch):
    program = f"""
kept = bytearray({96 * MIB})
say()
wait()
import subprocess
other = "kept = bytearray({40 * MIB}); print('ready', flush=True); input()"
for _ in range(3):
    subprocess.Popen([sys.executable, "-S", "-E", "-c", other])
wait()
"""
    with running(program) as process:
        seen, most = watch(process), Most(memory=64 * MIB)
        assert seen.excess(most) == ""
        go_on(process), said(process), said(process)
        assert "MiB of memory, at most 64 are allowed" in seen.excess(most)


@pytest.mark.parametrize("what", ["threads", "processes"])
def test_too_many_tasks_are_noticed(what, watch):
    start = {
        "threads": "threading.Thread(target=time.sleep, args=(600,), daemon=True).start()",
        "processes": "os.fork() or time.sleep(600)",
    }[what]
    program = f"say()\nwait()\nfor _ in range(5):\n    {start}\nsay()\nwait()\n"
    with running(program) as process:
        seen = watch(process)
        assert seen.excess(Most(tasks=5)) == ""
        go_on(process)
        assert seen.excess(Most(tasks=5)) == "6 processes and threads, at most 5 are allowed"
        assert seen.excess(Most(tasks=6)) == ""


def test_who_has_ended_takes_nothing(watch):
    with running("say()\nwait()") as process:
        seen = watch(process)
        assert seen.excess(Most()) == ""
        process.kill()
        process.wait()
        assert seen.excess(Most(memory=0, tasks=0)) == ""
        assert seen.processes() == [process.pid] and seen.busy_threads() == {}
        assert seen.cpu_seconds() < 60


def test_a_name_like_a_status_is_only_a_name(watch):
    program = "open('/proc/self/comm', 'w').write('a) R 1 2 (b')\nsay()\nwait()"
    with running(program) as process:
        seen = watch(process)
        assert seen.excess(Most(tasks=0)).startswith("1 processes and threads")
