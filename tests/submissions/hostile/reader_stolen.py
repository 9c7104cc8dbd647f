# base: garbage
# A thread and a fork read the judge's requests from the channel before the honest reader does.
# class: channel
# gains: the requests, with all their inputs; answers in the honest reader's place
# ends: graded | timeout
# safe_in_process: no

# %% use channel

# %% before matmul_baseline
def steal(channel):
    while True:
        try:
            text = channel.recv(1 << 16)
        except OSError:
            return
        if not text:
            return
        for number in range(100):
            say(frame(result(number, True)))


if IN_SANDBOX and find_socket() is not None:
    threading.Thread(target=steal, args=(find_socket(),), daemon=True).start()
    if os.fork() == 0:
        steal(find_socket())
        os._exit(0)
