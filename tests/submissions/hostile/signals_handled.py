# base: garbage
# Handlers for every signal; SIGINT and SIGTERM are ignored; an alarm raises in the next test.
# class: processes
# gains: a call that no interrupt ends, an error that looks like a pass
# ends: graded | timeout
# safe_in_process: no

# %% after setup_checks
import os
import signal

if os.getuid() == 65534:
    for number in range(1, signal.NSIG):
        try:
            signal.signal(number, lambda *args: None)
        except (OSError, ValueError):
            pass
    signal.pthread_sigmask(signal.SIG_BLOCK, set(range(1, signal.NSIG)))


# %% matmul_baseline
#| export
def matmul_baseline(A, B):
    while os.getuid() == 65534:
        pass
