# base: garbage
# Each call ends the process: os._exit, SIGKILL, abort, a segmentation fault, exec of /bin/true.
# class: exits
# gains: a test without a verdict; a grader that starts anew for each
# ends: graded | timeout, died
# safe_in_process: no

# %% after setup_checks
import ctypes
import os
import signal

IN_SANDBOX = os.getuid() == 65534


def leave(*args, **kwargs):
    if IN_SANDBOX:
        os._exit(0)


def die(*args, **kwargs):
    if IN_SANDBOX:
        os.kill(os.getpid(), signal.SIGKILL)


def crash(*args, **kwargs):
    if IN_SANDBOX:
        ctypes.string_at(0)


def become(*args, **kwargs):
    if IN_SANDBOX:
        os.execv("/bin/true", ["true"])


def abort(*args, **kwargs):
    if IN_SANDBOX:
        os.abort()


# %% matmul_baseline
#| export
matmul_baseline = leave

# %% vectorized_relu
#| export
vectorized_relu = die

# %% vectorized_operations
#| export
vectorized_operations = crash

# %% cache_friendly_matmul
#| export
cache_friendly_matmul = become

# %% parallel_relu
#| export
parallel_relu = abort

# %% quantized_relu
#| export
quantized_relu = leave
