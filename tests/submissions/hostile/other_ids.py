# base: garbage
# Before each answer come results with ids of other types: lists, floats, texts, missing, huge.
# class: channel
# gains: a judge that fails, or that takes them for something else
# ends: graded | timeout
# safe_in_process: yes

# %% use channel

# %% before matmul_baseline
def others(message):
    for number in (None, [], {}, 1.5, True, -1, "x" * 1_000, 2**62):
        say(frame(result(number, 1)))
    say(frame({"kind": "result"}))
    say(frame({"id": message["id"]}))


watch_requests(others)
