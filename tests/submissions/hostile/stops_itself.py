# base: garbage
# The process stops itself with SIGSTOP, in a cell.
# class: processor time
# gains: a process that neither runs nor ends
# ends: graded | timeout
# safe_in_process: no

# %% before test_vectorized_relu
import os
import signal

if os.getuid() == 65534:
    os.kill(os.getpid(), signal.SIGSTOP)
