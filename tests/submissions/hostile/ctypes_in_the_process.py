# base: garbage
# By ctypes the value of small numbers and of True is changed in the process's memory.
# class: escapes
# gains: comparisons of the process that go another way
# ends: graded | timeout
# safe_in_process: no

# %% after setup_checks
import ctypes
import os

if os.getuid() == 65534:
    # The digit of the number 2 becomes 1: for whatever runs in this process, 2 == 1.
    ctypes.c_uint32.from_address(id(2) + 24).value = 1
