"""The sandbox by itself: what is in it, what is not, what it takes away, and how it says no."""

import contextlib
import ctypes
import errno
import os
import resource
import select
import signal
import socket
import stat
import sys
import threading
from pathlib import Path

import pytest
from sandboxed import PYTHON, in_sandbox

from tinytorch.course import sandbox
from tinytorch.course.sandbox import NOBODY, SCRATCH, Cage, Limits, NoSandbox

needs_sandbox = pytest.mark.usefixtures("sandbox")
CLONE_NEWUSER, PTRACE_TRACEME = 0x10000000, 0


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """A folder with something to read, something to hide and a file of somebody else."""
    root = tmp_path_factory.mktemp("course")
    for name in ("package/module.py", "package/reference/kernels.py", "others/submission.ipynb"):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x = 1\n")
    return root


@pytest.fixture(scope="module")
def found(sandbox, course):
    """What a process in a sandbox sees; one sandbox for all tests that only look."""
    os.environ["SANDBOX_CANARY"] = "canary"
    opened = open(course / "others" / "submission.ipynb")  # noqa: SIM115
    try:
        return in_sandbox(
            lambda: look_around(course), [course / "package"], [course / "package" / "reference"]
        )
    finally:
        opened.close()
        del os.environ["SANDBOX_CANARY"]


def look_around(course):
    lines = Path("/proc/self/status").read_text().splitlines()
    status = dict(line.split(":\t", 1) for line in lines)
    libc = ctypes.CDLL(None, use_errno=True)

    def refused(call, *args):
        """0 if a system call did its work, else why not."""
        ctypes.set_errno(0)
        return ctypes.get_errno() if getattr(libc, call)(*args) < 0 else 0

    return {
        "root": sorted(os.listdir("/")),
        "dev": sorted(os.listdir("/dev")),
        "etc": sorted(os.listdir("/etc")) if os.path.isdir("/etc") else [],
        "mounts": [line.split()[1:4] for line in Path("/proc/mounts").read_text().splitlines()],
        "readable": (course / "package" / "module.py").read_text(),
        "hidden": os.listdir(course / "package" / "reference"),
        "beside": sorted(os.listdir(course)),
        "above": {str(folder): os.listdir(folder) for folder in PYTHON[0].parents},
        "written": [place for place in places(course) if written(place)],
        "descriptors": sorted(descriptors()),
        "processes": sorted(int(name) for name in os.listdir("/proc") if name.isdigit()),
        "parent": os.getppid(),
        "ids": [*os.getresuid(), *os.getresgid(), *os.getgroups()],
        "capabilities": [text for name, text in status.items() if name.startswith("Cap")],
        "no new privileges": status["NoNewPrivs"],
        "filter": status["Seccomp"],
        "host": socket.gethostname(),
        "interfaces": [name for _, name in socket.if_nameindex()],
        "outside": reached(("192.0.2.1", 9)),
        "folder": os.getcwd(),
        "streams": [os.readlink(f"/proc/self/fd/{n}") for n in range(3)],
        "session": os.getsid(0) == os.getpid(),
        "first to die": Path("/proc/self/oom_score_adj").read_text().strip(),
        "kernel setting": refusal("/proc/sys/kernel/core_pattern"),
        "unshare": refused("unshare", CLONE_NEWUSER),
        "mount": refused("mount", b"none", b"/tmp", b"tmpfs", 0, None),
        "chroot": refused("chroot", b"/tmp"),
        "threads": threading.active_count(),
    }  # fmt: skip


def places(course):
    """Where somebody might write; what leads to a shown folder lies in the root, or in /tmp."""
    shown = [*PYTHON, course / "package", course / "package" / "reference"]
    usual = "/ /usr /usr/lib /etc /proc /proc/sys /dev /dev/pts /dev/mqueue /var /run /tmp /dev/shm"
    return [*map(str, shown), *usual.split()]


def written(folder):
    try:
        with open(os.path.join(folder, "written"), "w") as file:
            file.write("x")
    except OSError:
        return False
    return True


def refusal(path):
    try:
        with open(path, "w"):
            return "written"
    except OSError as error:
        return errno.errorcode[error.errno]


def descriptors():
    found = []
    for number in range(4096):
        try:
            os.fstat(number)
        except OSError:
            continue
        found.append(number)
    return found


def reached(address):
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as channel:
        channel.settimeout(5)
        try:
            channel.connect(address)
        except OSError as error:
            return errno.errorcode.get(error.errno, str(error))
    return "reached"


# What is there, and what is not


def test_what_is_shown_is_readable_and_what_is_hidden_is_empty(found):
    assert found["readable"] == "x = 1\n" and found["hidden"] == []


def test_nothing_beside_it_is_there(found, course):
    assert found["beside"] == ["package"]
    for folder, names in found["above"].items():  # of Python's: what leads there, if not in /usr
        below = [path.relative_to(folder) for path in PYTHON if path.is_relative_to(folder)]
        leads = {path.parts[0] for path in below if path.parts}
        assert set(names) <= leads or folder == "/" or folder.startswith("/usr")
    assert set(found["etc"]) <= {"ld.so.cache", "alternatives"}
    known = {"bin", "dev", "etc", "lib", "lib64", "lib32", "libx32", "proc", "sbin", "tmp", "usr"}
    tops = {Path(path).parts[1] for path in [*PYTHON, course]}
    assert set(found["root"]) <= known | tops


def test_only_the_scratch_folders_can_be_written_to(found):
    assert found["written"] == ["/tmp", "/dev/shm"]


def test_what_is_mounted_is_read_only_or_small(found):
    for place, kind, options in found["mounts"]:
        if "ro" in options.split(",") or kind in ("proc", "devpts", "mqueue"):
            continue
        if place in ("/tmp", "/dev/shm"):
            assert f"size={SCRATCH >> 10}k" in options
        else:  # single devices
            assert Path(place).parent == Path("/dev") and place[5:] in found["dev"]


def test_of_devices_there_are_those_that_do_no_harm(found):
    harmless = {"null", "zero", "full", "random", "urandom", "tty", "console"}
    links = {"fd", "stdin", "stdout", "stderr", "ptmx", "pts", "core", "shm"}
    assert set(found["dev"]) <= harmless | links


def test_the_kernels_settings_are_read_only(found):
    assert found["kernel setting"] in ("EROFS", "EACCES", "EPERM")


def test_no_descriptor_came_along_but_the_channel(found):
    assert found["descriptors"][:3] == [0, 1, 2] and len(found["descriptors"]) == 4
    assert found["streams"] == ["/dev/null"] * 3


def test_there_are_no_other_processes(found):
    assert len(found["processes"]) <= 4 and 1 in found["processes"] and found["parent"] == 0


def test_there_is_no_network(found):
    assert found["interfaces"] == ["lo"] and found["outside"] == "ENETUNREACH"


# What is taken away


def test_who_enters_is_nobody_without_rights(found):
    assert set(found["ids"]) == {NOBODY}
    assert {int(word, 16) for word in found["capabilities"]} == {0}
    assert found["no new privileges"] == "1"


def test_namespaces_mounts_and_roots_are_refused(found):
    assert found["unshare"] and found["mount"] and found["chroot"]


@pytest.mark.skipif(not ctypes.util.find_library("seccomp"), reason="no libseccomp here")
def test_a_filter_lies_before_the_kernel(found):
    assert found["filter"] == "2"


def test_it_is_a_place_of_its_own(found):
    assert found["host"] == "sandbox" and found["folder"] == "/tmp" and found["session"]
    assert found["first to die"] == "1000" and found["threads"] == 1


@needs_sandbox
def test_its_limits_are_those_of_the_process():
    limits = Limits(address_space=8 << 30, file_size=1 << 20, open_files=32, seconds=50)

    def mine():
        kinds = ("AS", "FSIZE", "NOFILE", "CPU", "CORE")
        return [resource.getrlimit(getattr(resource, f"RLIMIT_{kind}")) for kind in kinds]

    expected = [8 << 30, 1 << 20, 32, 50, 0]
    assert in_sandbox(mine, limits=limits) == [[most, most] for most in expected]


@needs_sandbox
def test_memory_files_and_descriptors_end_at_their_limits():
    limits = Limits(address_space=8 << 30, file_size=1 << 20, open_files=32)

    def take_too_much():
        said = []
        try:
            bytearray(9 << 30)
        except MemoryError:
            said.append("memory")
        try:
            with open("/tmp/large", "wb", buffering=0) as file:
                while True:
                    file.write(bytes(1 << 16))
        except OSError as error:
            said.append([errno.errorcode[error.errno], os.path.getsize("/tmp/large")])
        opened = []
        try:
            while True:
                opened.append(open("/dev/null"))  # noqa: SIM115
        except OSError as error:
            for file in opened:
                file.close()
            said.append([errno.errorcode[error.errno], len(opened) <= 32])
        return said

    assert in_sandbox(take_too_much, limits=limits) == [
        "memory", ["EFBIG", 1 << 20], ["EMFILE", True]
    ]  # fmt: skip


@needs_sandbox
def test_the_scratch_folder_is_small_and_gone_afterwards():
    def fill():
        size = 0
        try:
            for number in range(100):
                with open(f"/tmp/{number}", "wb", buffering=0) as file:
                    while True:
                        size += file.write(bytes(1 << 22))
                        if file.tell() >= 1 << 24:
                            break
        except OSError as error:
            return [errno.errorcode[error.errno], size <= SCRATCH]
        return "never full"

    def what_is_there():
        return sorted(os.listdir("/tmp"))

    before = in_sandbox(what_is_there)  # where Python lies below /tmp, the way to it
    assert in_sandbox(fill) == ["ENOSPC", True]
    assert in_sandbox(what_is_there) == before and "0" not in before


@needs_sandbox
def test_signals_are_as_in_a_fresh_process():
    def handlers():
        usual = [signal.getsignal(n) == signal.SIG_DFL for n in (signal.SIGTERM, signal.SIGCHLD)]
        # Python ignores these two, and makes an OSError of what a system call says.
        for number in (signal.SIGPIPE, signal.SIGXFSZ):
            usual.append(signal.getsignal(number) == signal.SIG_IGN)
        mine, theirs = socket.socketpair()
        theirs.close()
        with contextlib.suppress(BrokenPipeError):
            mine.send(b"x")
        return usual

    before = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        assert in_sandbox(handlers) == [True] * 4
    finally:
        signal.signal(signal.SIGTERM, before)


# Its end


def stay(channel):
    """Say that it has begun, and never end; and the same in a session of its own."""
    if os.fork() == 0:
        os.setsid()
    channel.sendall(b"x")
    signal.pause()


@needs_sandbox
def test_closing_it_ends_everything_in_it():
    mine, theirs = socket.socketpair()
    cage = Cage(PYTHON)
    entered = cage.enter(lambda: stay(theirs), theirs.fileno(), Limits())
    theirs.close()
    assert mine.recv(2, socket.MSG_WAITALL) == b"xx"
    handle = os.pidfd_open(entered)
    cage.close()
    assert select.select([handle], [], [], 60)[0], "the process that went in is still there"
    assert mine.recv(1) == b"", "somebody still holds the channel"
    mine.close()
    os.close(handle)


@needs_sandbox
def test_it_ends_with_the_process_that_made_it():
    mine, theirs = socket.socketpair()
    maker = os.fork()
    if maker == 0:
        try:
            mine.close()
            cage = Cage(PYTHON)
            cage.enter(lambda: stay(theirs), theirs.fileno(), Limits())
            theirs.close()
            signal.pause()
        finally:
            os._exit(1)
    theirs.close()
    try:
        assert mine.recv(2, socket.MSG_WAITALL) == b"xx"
    finally:
        os.kill(maker, signal.SIGKILL)
        os.waitpid(maker, 0)
    mine.settimeout(60)
    assert mine.recv(1) == b"", "somebody in it still holds the channel"
    mine.close()


@needs_sandbox
def test_who_ends_inside_ends_nobody_else():
    mine, theirs = socket.socketpair()
    cage = Cage(PYTHON)
    try:
        for status in (0, 3):
            cage.enter(lambda status=status: os._exit(status), theirs.fileno(), Limits())
        assert cage.process.poll() is None
    finally:
        cage.close()
        mine.close()
        theirs.close()


@needs_sandbox
@pytest.mark.parametrize(
    ("end", "told"),
    [
        (lambda: os._exit(3), 0),
        (os.abort, signal.SIGABRT),
        (lambda: os.kill(os.getpid(), signal.SIGKILL), signal.SIGKILL),
    ],
    ids=["an exit", "a crash", "a kill"],
)
def test_closing_it_tells_the_signal_that_ended_who_went_in(end, told):
    mine, theirs = socket.socketpair()
    cage = Cage(PYTHON)
    cage.enter(end, theirs.fileno(), Limits())
    theirs.close()
    assert mine.recv(1) == b""
    assert cage.close() == told
    mine.close()


@needs_sandbox
def test_a_sandbox_that_has_ended_cannot_be_entered():
    cage = Cage(PYTHON)
    first = os.pidfd_open(cage.first)
    cage.process.kill()
    assert select.select([first], [], [], 60)[0]
    os.close(first)
    with pytest.raises(OSError):
        cage.enter(lambda: None, 0, Limits())
    cage.close()


# Where there is none


@needs_sandbox
def test_where_it_works_nothing_is_the_matter():
    assert sandbox.problem() == "" and sandbox.name().startswith("bubblewrap")


def fake_bwrap(tmp_path, monkeypatch, text):
    path = tmp_path / "bwrap"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="says there that it needs Linux")
def test_without_bubblewrap_it_says_how_to_get_it(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    for said in (sandbox.problem(), refused_by(sandbox.name), refused_by(lambda: Cage([]))):
        assert "bubblewrap is not here" in said and "apt-get install bubblewrap" in said
        assert "--trust-submissions" in said


def refused_by(call):
    with pytest.raises(NoSandbox) as refusal:
        call()
    return str(refusal.value)


def test_elsewhere_than_on_linux_it_says_where_to_go(monkeypatch):
    monkeypatch.setattr(sys, "platform", "darwin")
    said = sandbox.problem()
    assert "needs Linux" in said and "docs/container.md" in said


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="says there that it needs Linux")
def test_a_bubblewrap_that_is_killed_half_way_is_not_waited_for(monkeypatch, tmp_path):
    """What it has begun holds its pipes, and waits to be told to go on."""
    fake_bwrap(tmp_path, monkeypatch, f"sleep 3600 & echo $! > {tmp_path}/begun; kill -9 $$")
    with pytest.raises(NoSandbox):
        Cage(PYTHON)
    os.kill(int((tmp_path / "begun").read_text()), signal.SIGKILL)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="says there that it needs Linux")
@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("echo 'No permissions to create new namespace' >&2; exit 1", "No permissions to create"),
        ("exit 1", "it said nothing"),
        ("echo not what was asked", "it said nothing"),
    ],
    ids=["refused", "silent", "talks"],
)
def test_a_bubblewrap_that_cannot_is_told_with_its_own_words(text, said, monkeypatch, tmp_path):
    fake_bwrap(tmp_path, monkeypatch, text)
    message = sandbox.problem()
    assert said in message and "docs/container.md" in message and "user namespaces" in message
