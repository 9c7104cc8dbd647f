# base: garbage
# A frame comes at a byte a second.
# class: frames
# gains: a judge that waits, and never long enough to give up
# ends: graded | timeout, died | hung | failed
# safe_in_process: yes

# %% use channel

# %% before test_vectorized_relu
import time

for byte in frame(result("1", "x" * 500)) if IN_SANDBOX else b"":
    say(bytes([byte]))
    time.sleep(1)
