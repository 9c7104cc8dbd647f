"""A sandbox for one submission: bubblewrap makes it, and a process that is warm already enters it.

`Cage` is the inside: bubblewrap starts a waiting program in namespaces of its own, and `enter`
forks the calling process into them, so that nobody pays for Python and NumPy again. What enters
must hold no secret: all its memory is the student's. watch.py looks at it from outside.
"""

import contextlib
import ctypes
import ctypes.util
import json
import os
import select
import shutil
import signal
import struct
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from tinytorch.course.groups import Group

NOBODY = 65534
SCRATCH = 64 << 20  # bytes of each folder that can be written to
_PATIENCE = 60.0  # seconds for bubblewrap to make a sandbox
_NEW_USER, _NEW_MOUNTS = 0x10000000, 0x00020000
_NEW_PIDS, _NEW_NET, _NEW_IPC, _NEW_NAMES = 0x20000000, 0x40000000, 0x08000000, 0x04000000
_ALL = _NEW_USER | _NEW_MOUNTS | _NEW_PIDS | _NEW_NET | _NEW_IPC | _NEW_NAMES
_NO_NEW_PRIVILEGES, _DROP_BOUND, _DUMPABLE, _AMBIENT, _DEATH_SIGNAL = 38, 24, 4, 47, 1
_CAPABILITIES_3 = 0x20080522
# Kernel interfaces that no kernel of the lesson needs, and that have had holes.
_REFUSED = (
    "ptrace", "process_vm_readv", "process_vm_writev", "mount", "umount2", "pivot_root",
    "chroot", "setns", "unshare", "keyctl", "add_key", "request_key", "bpf", "perf_event_open",
    "io_uring_setup", "userfaultfd", "kexec_load", "open_by_handle_at", "move_mount", "fsopen",
    "fsmount", "open_tree", "mount_setattr", "init_module", "finit_module",
)  # fmt: skip
_ALLOW, _REFUSE = 0x7FFF0000, 0x00050001  # the filter's verdicts; 1 is EPERM

_WAYS = (
    "Without a sandbox a submission could change its own grade. To grade what you trust, there is "
    "--trust-submissions."
)


class NoSandbox(RuntimeError):
    """There is none on this computer; the message says how to get one."""


@dataclass(frozen=True)
class Limits:
    """What one process may take, in bytes and numbers. For all together see watch.py."""

    address_space: int = 6 << 30
    file_size: int = SCRATCH
    open_files: int = 256
    seconds: int = 600


def name() -> str:
    """Its name and version, for reports; NoSandbox where there is none."""
    program = _program()
    said = subprocess.run([program, "--version"], capture_output=True, text=True, check=False)
    return said.stdout.strip() or "bubblewrap"


def require() -> None:
    """Raise NoSandbox, with the way out, if submissions cannot be graded in a sandbox here."""
    _program()
    Cage([]).close()


def problem() -> str:
    """What `require` has to say, or nothing."""
    try:
        require()
    except NoSandbox as error:
        return str(error)
    return ""


def _program() -> str:
    if not sys.platform.startswith("linux"):
        raise NoSandbox(
            f"Submissions are graded in a sandbox, and that needs Linux. {_WAYS} "
            "docs/container.md says how to grade in a container on this system."
        )
    found = shutil.which("bwrap")
    if not found:
        raise NoSandbox(
            "Submissions are graded in a sandbox, and bubblewrap is not here. On Debian and "
            f"Ubuntu: apt-get install bubblewrap; docs/container.md has other systems. {_WAYS}"
        )
    return found


def end_with_parent(parent: int) -> None:
    """End this process when the one that forked it does, whose number is `parent`."""
    ctypes.CDLL(None).prctl(_DEATH_SIGNAL, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:  # it was quicker
        os._exit(1)


class Cage:
    """An empty sandbox, ready to be entered; it ends with `close`, or with the calling process.

    readable: folders that are there at the same path, for reading only, besides what programs of
    the system need. hidden: folders below these that are empty inside. group: for all that runs
    in it; `group` is None afterwards if nothing may be put there.
    """

    def __init__(
        self, readable: Sequence[Path], hidden: Sequence[Path] = (), group: Group | None = None
    ) -> None:
        self._between = 0  # the process between this one and the one that went in
        self.group = group
        self.first = 0  # the sandbox's number 1, in this one's numbers
        self._place = -1  # a handle on it
        self.waiting: list[int] = []
        program = _program()
        telling, told = os.pipe()
        command = _command(program, readable, hidden, told)
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            pass_fds=(told,),
            env={"PATH": "/usr/bin:/bin"},
        )
        os.close(told)
        self._put_in_group()
        try:
            ready = self._answers()
            if ready:
                self.first = int(json.loads(os.read(telling, 4096))["child-pid"])
                self._place = os.pidfd_open(self.first)
                children = Path(f"/proc/{self.first}/task/{self.first}/children")
                self.waiting = [int(pid) for pid in children.read_text().split()]
        except (OSError, ValueError, KeyError):
            ready = False
        finally:
            os.close(telling)
        if not ready:
            self.process.kill()
            self.process.wait()
            assert self.process.stderr
            # Not to the end: what it had begun may hold it, and wait forever to be told to go on.
            os.set_blocking(self.process.stderr.fileno(), False)
            said = (self.process.stderr.read() or b"").decode(errors="replace").strip()
            self.close()
            raise NoSandbox(
                f"bubblewrap cannot make a sandbox here: {said[:300] or 'it said nothing'}. In a "
                "container it needs more rights than usual, see docs/container.md; elsewhere the "
                "system may forbid user namespaces (sysctl user.max_user_namespaces, AppArmor). "
                f"{_WAYS}"
            )

    def _put_in_group(self) -> None:
        if self.group:
            try:
                self.group.add(self.process.pid)
            except OSError:
                self.group.close()
                self.group = None

    def _answers(self) -> bool:
        """Whether it is complete: what is written to it has been through the sandbox and back."""
        assert self.process.stdin and self.process.stdout
        self.process.stdin.write(b"?")
        self.process.stdin.flush()
        ended = os.pidfd_open(self.process.pid)
        watched: list[Any] = [self.process.stdout, ended]
        try:
            said = select.select(watched, [], [], _PATIENCE)[0]
        finally:
            os.close(ended)
        return said == [self.process.stdout] and self.process.stdout.read(1) == b"?"

    def enter(self, inside: Callable[[], Any], keep: int, limits: Limits) -> int:
        """Fork this process, which must have one thread, into the sandbox, where it runs `inside`.

        keep: the one file descriptor that it takes along; all others are closed. Returns the
        process that it has become; OSError if it could not get in.
        """
        lock = _Filter()
        reading, writing = os.pipe()
        self._between = os.fork()
        if self._between == 0:
            os.close(reading)
            _go_in(self._place, writing, inside, keep, limits, lock, self.group)
        os.close(writing)
        with os.fdopen(reading, "rb") as told:
            entered = told.read(4)
        if len(entered) != 4:
            raise OSError("the sandbox could not be entered")
        return int.from_bytes(entered, "big")

    def close(self) -> int:
        """End everything in it; return the signal that ended who went in, 0 if it left by itself.

        Who was still there is ended now, by SIGKILL.
        """
        if self._place >= 0:  # by itself too: it may have lost the one that it should end with
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._place, signal.SIGKILL)
            os.close(self._place)
            self._place = -1
        self.process.kill()
        self.process.wait()
        ended_by = 0
        if self._between:
            status = os.waitpid(self._between, 0)[1]
            # It hands on how the other ended; killed itself, it cannot.
            ended_by = signal.SIGKILL if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)
            self._between = 0
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            with contextlib.suppress(BrokenPipeError):  # of what nobody has read
                if stream:
                    stream.close()
        if self.group:
            self.group.close()
        return ended_by


def _command(
    program: str, readable: Sequence[Path], hidden: Sequence[Path], told: int
) -> list[str]:
    words = (
        "--unshare-user --unshare-ipc --unshare-pid --unshare-net --unshare-uts --disable-userns "
        "--die-with-parent --new-session --cap-drop ALL --hostname sandbox --clearenv "
        f"--uid {NOBODY} --gid {NOBODY} --info-fd {told} "
        "--ro-bind /usr /usr --proc /proc --ro-bind /proc/sys /proc/sys --dev /dev "
        f"--size {SCRATCH} --tmpfs /tmp --size {SCRATCH} --tmpfs /dev/shm"
    ).split()
    for folder in ("/bin", "/lib", "/lib64", "/sbin"):
        if os.path.islink(folder):
            words += ["--symlink", os.readlink(folder), folder]
        elif os.path.isdir(folder):
            words += ["--ro-bind", folder, folder]
    for path in ("/etc/ld.so.cache", "/etc/alternatives"):
        words += ["--ro-bind-try", path, path]
    inner = sorted({str(p) for p in readable if not str(p).startswith("/usr/")})
    for path in inner:
        words += ["--ro-bind", path, path]
    for path in sorted({str(p) for p in hidden}):
        words += ["--tmpfs", path, "--remount-ro", path]
    # Where root grades, the user inside is root outside: nothing else may be written to.
    words += ["--remount-ro", "/dev", "--remount-ro", "/"]
    return [program, *words, "--chdir", "/tmp", "--", "/bin/cat"]


def _go_in(
    place: int,
    tell: int,
    inside: Callable[[], Any],
    keep: int,
    limits: Limits,
    lock: Any,
    group: Group | None,
) -> NoReturn:
    status = 1
    try:
        if group:
            group.add()
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.setns(place, _ALL):
            os._exit(1)
        inner = os.fork()  # only a child is in the new process namespace
        if inner:
            os.write(tell, inner.to_bytes(4, "big"))
            os.closerange(0, 1 << 16)
            ended = os.waitpid(inner, 0)[1]
            os._exit(os.WTERMSIG(ended) if os.WIFSIGNALED(ended) else 0)
        _give_up_everything(libc, keep, limits, lock)
        inside()
        status = 0
    finally:
        os._exit(status)


def _give_up_everything(libc: Any, keep: int, limits: Limits, lock: Any) -> None:
    """Leave behind descriptors, rights and resources; what fails here ends the process."""
    import resource  # no system without sandboxes has it for sure

    os.setsid()
    nothing = os.open("/dev/null", os.O_RDWR)
    for stream in range(3):
        os.dup2(nothing, stream)
    os.closerange(3, keep)
    os.closerange(keep + 1, 1 << 16)
    for kind, most in (
        (resource.RLIMIT_AS, limits.address_space),
        (resource.RLIMIT_FSIZE, limits.file_size),
        (resource.RLIMIT_NOFILE, limits.open_files),
        (resource.RLIMIT_CPU, limits.seconds),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(kind, (most, most))
    with open("/proc/self/oom_score_adj", "w") as score:
        score.write("1000")  # if memory ends, this goes first
    os.setresgid(NOBODY, NOBODY, NOBODY)
    os.setresuid(NOBODY, NOBODY, NOBODY)
    for capability in range(64):
        libc.prctl(_DROP_BOUND, capability, 0, 0, 0)
    libc.prctl(_AMBIENT, 4, 0, 0, 0)
    header = struct.pack("Ii", _CAPABILITIES_3, 0)
    if libc.capset(header, bytes(24)) or libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "rights could not be given up")
    libc.prctl(_DUMPABLE, 1, 0, 0, 0)  # as any process that has not changed its user
    lock.close_behind()
    for number in range(1, signal.NSIG):
        if number not in (signal.SIGKILL, signal.SIGSTOP, 32, 33):
            signal.signal(number, signal.SIG_DFL)
    # As in any Python: a broken pipe and a file too long are errors, and no end of the process.
    for ignored in (signal.SIGPIPE, signal.SIGXFSZ):
        signal.signal(ignored, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.chdir("/tmp")


class _Filter:
    """A list of system calls that are refused, by libseccomp where it is installed.

    The namespaces hold without it; it narrows what a fault of the kernel could be reached through.
    """

    def __init__(self) -> None:
        found = ctypes.util.find_library("seccomp") if _Filter._library is None else None
        if found:
            _Filter._library = ctypes.CDLL(found)
        self._context = None
        if library := _Filter._library:
            library.seccomp_init.restype = ctypes.c_void_p
            self._context = ctypes.c_void_p(library.seccomp_init(_ALLOW))
            for call in _REFUSED:
                number = library.seccomp_syscall_resolve_name(call.encode())
                if number >= 0:
                    library.seccomp_rule_add(self._context, _REFUSE, number, 0)

    _library: Any = None

    def close_behind(self) -> None:
        """From here on the calls are refused, for this process and all that it starts."""
        if self._context and _Filter._library.seccomp_load(self._context):
            raise OSError("the filter for system calls could not be set")
