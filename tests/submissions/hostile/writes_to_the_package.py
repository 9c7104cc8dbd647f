# base: garbage
# The package, NumPy, the interpreter's and the system's folders are written to, with links too.
# class: files
# gains: code of the student's in the next submission's process
# ends: graded
# safe_in_process: no

# %% last
import os
import sys
from pathlib import Path

import tinytorch

if os.getuid() == 65534:
    places = [Path(tinytorch.__file__).parent, Path(np.__file__).parent, Path(sys.prefix)]
    places += [Path(place) for place in sys.path if place] + [Path("/etc"), Path("/usr")]
    places += [Path("/"), Path("/dev"), Path("/proc/sys")]
    for place in places:
        for make in (
            lambda path: path.write_text("print('LOOT')"),
            lambda path: path.symlink_to("/tmp"),
        ):
            try:
                make(place / "hostile_left_this.py")
                if not str(place).startswith("/tmp"):
                    print("LOOT wrote to", place)
            except OSError:
                pass
