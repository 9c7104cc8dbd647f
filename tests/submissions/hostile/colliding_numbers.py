# base: garbage
# Results are sets and dicts of 100,000 numbers that all have the same hash.
# class: frames
# gains: hours of the judge for one frame of 3 MB
# ends: graded | timeout
# safe_in_process: yes

# %% use channel

# %% before matmul_baseline
def collide(message):
    prime = (1 << 61) - 1
    numbers = [["i", hex(n * prime)] for n in range(1, 100_001)]
    say(frame(result(message["id"], ["s", *numbers])))


watch_requests(collide)
