# base: garbage
# A frame begins and never ends.
# class: frames
# gains: a judge that waits for ever
# ends: graded | timeout, died | hung | failed
# safe_in_process: yes

# %% use channel

# %% before test_vectorized_relu
import time

say(frame(result("1", "x" * 1_000))[:100])
if IN_SANDBOX:
    time.sleep(3_600)
