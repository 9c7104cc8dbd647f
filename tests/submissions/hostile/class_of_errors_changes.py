# base: garbage
# Exceptions whose class, arguments and traceback are properties that answer with something else.
# class: exceptions
# gains: the tests of errors, if isinstance asks the exception itself
# ends: graded
# safe_in_process: yes

# %% after setup_checks
class Chameleon(Exception):
    __class__ = property(lambda self: ValueError)
    args = property(lambda self: ("(2, 3)", "(4, 5)", "0", "three"))

    def __str__(self):
        return "nothing in particular"


# %% matmul_baseline
#| export
def matmul_baseline(A, B):
    raise Chameleon


# %% parallel_batch_processing
#| export
def parallel_batch_processing(batch_data, operation, num_workers=4, executor=None):
    raise Chameleon
