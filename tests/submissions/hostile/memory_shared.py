# base: garbage
# Memory that belongs to no process: memfd, shared maps, /dev/shm, SysV segments, pipes.
# class: memory
# gains: memory that no limit of a process counts
# ends: graded | timeout
# safe_in_process: no

# %% before test_vectorized_relu
import fcntl
import mmap
import os

kept = []
if os.getuid() == 65534:
    try:
        for number in range(200):
            descriptor = os.memfd_create(f"m{number}")
            kept.append(descriptor)
            os.write(descriptor, b"\1" * (32 << 20))
    except OSError as error:
        print(error)
    try:
        for _ in range(100):
            shared = mmap.mmap(-1, 64 << 20)
            shared.write(b"\1" * (64 << 20))
            kept.append(shared)
    except (OSError, ValueError) as error:
        print(error)
