# base: garbage
# Loops in __del__, __repr__, __getattr__, __hash__, __len__, __iter__ and a property of results.
# class: processor time
# gains: a grader that hangs where it only looks at a result
# ends: graded | timeout
# safe_in_process: no

# %% after setup_checks
import os


class Sticky:
    def _stick(self, *args):
        while os.getuid() == 65534:
            pass
        return 1

    __del__ = __repr__ = __str__ = __hash__ = __len__ = __iter__ = __bool__ = __array__ = _stick
    __eq__ = __reduce__ = __getattr__ = __float__ = __index__ = _stick
    __class__ = property(_stick)


# %% matmul_baseline
#| export
def matmul_baseline(A, B):
    return Sticky()


# %% vectorized_relu
#| export
def vectorized_relu(x):
    steps = [value for value in np.ravel(as_array(x))]
    garbage = Tensor(np.zeros(1))
    garbage.data = Sticky()
    return garbage


# %% quantized_relu
#| export
def quantized_relu(x, scale=1.0):
    raise ValueError(Sticky())
