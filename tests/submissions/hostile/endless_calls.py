# base: garbage
# Every call of every answer never ends: loops, sleeps, locks, reads of a pipe, regular expressions.
# class: processor time
# gains: the grader's limit times the number of tests
# ends: graded | timeout, hung | died
# safe_in_process: no

# %% after setup_checks
import os
import re
import threading
import time

IN_SANDBOX = os.getuid() == 65534


def loop(*args, **kwargs):
    while IN_SANDBOX:
        pass


def sleep(*args, **kwargs):
    time.sleep(10**6 * IN_SANDBOX)


def wait(*args, **kwargs):
    threading.Event().wait(None if IN_SANDBOX else 0)


def read(*args, **kwargs):
    if IN_SANDBOX:
        os.read(os.pipe()[0], 1)


def match(*args, **kwargs):
    re.match(r"(a+)+$", "a" * (60 if IN_SANDBOX else 5) + "b")


# %% matmul_baseline
#| export
matmul_baseline = loop

# %% vectorized_relu
#| export
vectorized_relu = sleep

# %% vectorized_operations
#| export
vectorized_operations = wait

# %% cache_friendly_matmul
#| export
cache_friendly_matmul = read

# %% parallel_relu
#| export
parallel_relu = match

# %% quantized_matmul
#| export
quantized_matmul = loop

# %% quantized_relu
#| export
quantized_relu = sleep
