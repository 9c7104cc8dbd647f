# base: garbage
# The process becomes another program, which speaks on the channel instead of Python.
# class: exits
# gains: a peer whose behaviour nobody expects
# ends: graded | timeout, died | hung | failed
# safe_in_process: no

# %% use channel

# %% before test_vectorized_relu
if IN_SANDBOX and find_socket() is not None:
    number = find_socket().fileno()
    os.dup2(number, 0)
    os.dup2(number, 1)
    os.execv("/bin/cat", ["cat"])
