# base: garbage
# The root, /tmp, /dev/shm and the working folder are filled, with bytes and with empty files.
# class: files
# gains: a computer without room for the next submission
# ends: graded | timeout
# safe_in_process: no

# %% before test_vectorized_relu
import os
from pathlib import Path

for folder in ("/", "/dev", "/tmp", "/dev/shm", ".") if os.getuid() == 65534 else ():
    for number in range(40):
        try:
            Path(folder, f"large{number}").write_bytes(b"\0" * (32 << 20))
        except OSError as error:
            print(error)
            break
    for number in range(20_000):
        try:
            Path(folder, f"empty{number}").touch()
        except OSError as error:
            print(error)
            break
