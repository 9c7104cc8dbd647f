# base: garbage
# Processes that make processes, at most five hundred.
# class: processes
# gains: a computer on which nothing else starts
# ends: graded | timeout
# safe_in_process: no

# %% before test_vectorized_relu
import os
import time

if os.getuid() == 65534:
    for generation in range(9):  # 2**9 = 512 processes
        try:
            if os.fork() == 0:
                os.setsid()
        except OSError:
            break
    if generation < 8 or os.getsid(0) == os.getpid():
        time.sleep(120)
        os._exit(0)
