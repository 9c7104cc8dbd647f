# base: garbage
# A thousand threads that never end, some of which compute.
# class: processes
# gains: a slow grader, threads that go on
# ends: graded | timeout
# safe_in_process: no

# %% before test_vectorized_relu
import os
import threading
import time


def stay(number):
    while number % 100 == 0:
        pass
    time.sleep(3_600)


for number in range(1_000 if os.getuid() == 65534 else 0):
    threading.Thread(target=stay, args=(number,)).start()
