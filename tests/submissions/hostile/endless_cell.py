# base: garbage
# A cell between two tests never ends, and catches every interrupt.
# class: processor time
# gains: a grader that waits for ever
# ends: graded | timeout
# safe_in_process: yes

# %% before test_vectorized_relu
while True:
    try:
        while True:
            pass
    except BaseException:
        pass
