# base: garbage
# A million small requests that nobody waits for: callbacks, reads, unknown kinds.
# class: frames
# gains: as many threads or entries in the judge
# ends: graded | timeout
# safe_in_process: yes

# %% use channel

# %% before test_parallel_batch_processing
small = b"".join(
    frame({"kind": kind, "callable": 1, "lent": 1, "id": str(n), "args": ["l"], "kwargs": ["d"]})
    for n in range(500)
    for kind in ("callback", "read", "what")
)
for _ in range(700):
    say(small)
