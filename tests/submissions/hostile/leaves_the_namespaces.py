# base: garbage
# unshare, setns, mount, chroot, ptrace, keyrings and perf by their numbers.
# class: escapes
# gains: the file system and the rights of the grader
# ends: graded
# safe_in_process: no

# %% last
import ctypes
import os

libc = ctypes.CDLL(None, use_errno=True)
if os.getuid() == 65534:
    for name, call in {
        "unshare user": lambda: libc.unshare(0x10000000),
        "unshare mounts": lambda: libc.unshare(0x00020000),
        "mount": lambda: libc.mount(b"none", b"/tmp", b"tmpfs", 0, None),
        "chroot": lambda: libc.chroot(b"/tmp"),
        "setns": lambda: libc.setns(os.open("/proc/1/ns/mnt", os.O_RDONLY), 0),
        "ptrace": lambda: libc.ptrace(16, 1, 0, 0),
        "setuid": lambda: libc.setuid(0),
        "sethostname": lambda: libc.sethostname(b"mine", 4),
        "nice": lambda: libc.setpriority(0, 0, -10),
    }.items():
        try:
            if call() == 0:
                print("LOOT", name, "was allowed")
        except OSError:
            pass
