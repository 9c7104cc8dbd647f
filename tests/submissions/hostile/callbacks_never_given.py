# base: garbage
# Callbacks and reads of numbers that the judge never gave out, with arguments of every kind.
# class: channel
# gains: calls of other tests' functions, elements of arrays that belong to others
# ends: graded | timeout
# safe_in_process: yes

# %% use channel

# %% before matmul_baseline
def call_all(message):
    for number in (-1, 0, 1, 2, 7, 10**6, "1", None, [0], 1.0):
        empty = {"args": ["l"], "kwargs": ["d"]}
        say(frame({"kind": "callback", "callable": number, "id": f"c{number}", **empty}))
        say(frame({"kind": "read", "lent": number, "id": f"r{number}", "elements": ["l", 0]}))


watch_requests(call_all)
