# base: garbage
# The kernel's settings, which no namespace has copies of, are opened for writing; none is written.
# class: escapes
# gains: programs that the kernel runs as root, outside: core_pattern, modprobe, hotplug
# ends: graded
# safe_in_process: no

# %% last
import os

if os.getuid() == 65534:
    for path in (
        "/proc/sys/kernel/core_pattern",
        "/proc/sys/kernel/modprobe",
        "/proc/sys/kernel/hotplug",
        "/proc/sys/fs/binfmt_misc/register",
        "/proc/sys/vm/drop_caches",
        "/proc/sys/vm/overcommit_memory",
        "/proc/sysrq-trigger",
        "/sys/kernel/uevent_helper",
        "/sys/fs/cgroup/release_agent",
        "/dev/vda",
        "/dev/mem",
        "/dev/kmsg",
    ):
        try:
            os.close(os.open(path, os.O_WRONLY))
            print("LOOT could open for writing:", path)
        except OSError:
            pass
