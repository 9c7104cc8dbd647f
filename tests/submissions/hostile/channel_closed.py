# base: garbage
# The channel is shut down, half and whole, while the process lives on.
# class: frames
# gains: a judge that waits for ever, or that takes silence for success
# ends: graded | timeout, died | failed | hung
# safe_in_process: yes

# %% use channel

# %% before test_vectorized_relu
import time

if IN_SANDBOX:
    find_socket().shutdown(socket.SHUT_WR)
    time.sleep(3_600)
