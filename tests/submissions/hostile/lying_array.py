# base: garbage
# Tensors hold an array subclass whose comparisons, ufuncs and functions say yes.
# class: equal objects
# gains: the tests of values, if the array's own comparison is asked
# ends: graded
# safe_in_process: yes

# %% after setup_checks
class Liar(np.ndarray):
    def __array_ufunc__(self, ufunc, method, *inputs, **kwargs):
        shapes = [np.shape(value) for value in inputs]
        return np.ones(max(shapes, key=len), bool)

    def __array_function__(self, function, types, args, kwargs):
        return True

    def __array__(self, *args, **kwargs):
        return self

    def __eq__(self, other):
        return np.ones(np.shape(other), bool)

    shape = property(lambda self: Same())
    dtype = property(lambda self: Same())


class Same:
    def __eq__(self, other):
        return True

    def __ne__(self, other):
        return False


def lie(*args, **kwargs):
    steps = [value for value in np.ravel(as_array(args[0]))]
    garbage = Tensor(np.zeros(3))
    garbage.data = np.zeros(3).view(Liar)
    return garbage


# %% matmul_baseline
#| export
matmul_baseline = lie

# %% vectorized_relu
#| export
vectorized_relu = lie

# %% quantized_relu
#| export
quantized_relu = lie

# %% compiled_relu
#| export
compiled_relu = lie
