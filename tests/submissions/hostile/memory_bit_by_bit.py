# base: garbage
# Lists grow until memory ends, and whatever is raised then is caught.
# class: memory
# gains: the end of something else than the sandbox
# ends: graded | timeout
# safe_in_process: no

# %% before test_vectorized_relu
import os

hoard = []
while os.getuid() == 65534:
    try:
        hoard.append(bytearray(16 << 20))
    except MemoryError:
        break
