# base: garbage
# Every request is answered twice, first with a forged result and then with the real one.
# class: channel
# gains: the second answer taken for the next request's
# ends: graded | timeout
# safe_in_process: yes

# %% use channel

# %% before matmul_baseline
watch_requests(lambda message: say(frame(result(message["id"], 1))))
