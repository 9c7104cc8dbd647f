# base: garbage
# 2 GB of frames that nobody asked for, as fast as they can be written.
# class: frames
# gains: a judge that never gets to a test, or is out of memory
# ends: graded | timeout
# safe_in_process: yes

# %% use channel

# %% before test_vectorized_relu
nothing = frame({"kind": "callback", "callable": -1, "id": "x"}, [b"\0" * 1_000_000])
for _ in range(2_000):
    say(nothing)
