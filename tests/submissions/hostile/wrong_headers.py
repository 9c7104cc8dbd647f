# base: garbage
# Headers that announce exabytes, less than there is, nothing, or another magic.
# class: frames
# gains: memory that the judge reserves; frames read at the wrong place
# ends: graded | timeout, died | hung | failed
# safe_in_process: yes

# %% use channel

# %% before test_vectorized_relu
say(frame(result("1", None), length=0, memory=2**63))
say(frame(result("1", None), memory=2**62))
say(frame(result("1", None), length=2**32 - 1))
say(frame(result("1", None), magic=0))
