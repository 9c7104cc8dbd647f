# base: garbage
# Twenty forks, each of which takes 1 GB.
# class: memory
# gains: more than one process is allowed
# ends: graded | timeout
# safe_in_process: no

# %% before test_vectorized_relu
import os
import time

for _ in range(20 if os.getuid() == 65534 else 0):
    if os.fork() == 0:
        hoard = bytearray(b"\1") * (1 << 30)
        time.sleep(60)
        os._exit(0)
