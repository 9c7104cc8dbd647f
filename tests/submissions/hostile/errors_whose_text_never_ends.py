# base: garbage
# Exceptions whose __str__ and __repr__ loop for ever, raise, or return no text.
# class: exceptions
# gains: a grader that hangs or fails while it writes down an error
# ends: graded | timeout
# safe_in_process: yes

# %% after setup_checks
class Loop(Exception):
    def __str__(self):
        while True:
            pass

    __repr__ = __str__


class Deep(Exception):
    def __str__(self):
        raise Deep

    __repr__ = __str__


class NoText(Exception):
    def __str__(self):
        return 5


# %% matmul_baseline
#| export
def matmul_baseline(A, B):
    raise Deep


# %% vectorized_relu
#| export
def vectorized_relu(x):
    raise NoText


# %% compiled_relu
#| export
def compiled_relu(x):
    raise Loop
