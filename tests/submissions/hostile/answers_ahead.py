# base: garbage
# Results for the next thousand requests are written into the channel before they are asked for.
# class: channel
# gains: verdicts and results of the student's choice
# ends: graded | timeout
# safe_in_process: yes

# %% use channel

# %% before test_matmul_baseline
for number in range(1_000):
    for value in (None, True):
        say(frame(result(number, value)))
        say(frame(result(str(number), value)))
