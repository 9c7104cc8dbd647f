# right: numba.njit over the flat elements, a branch for the negative ones
# %%
import numba


@numba.njit
def _flat_relu(source, target):
    for i in range(source.shape[0]):
        target[i] = source[i]
        if source[i] < 0:
            target[i] = 0


def compiled_relu(x, num_workers=None):
    values = as_array(x)
    if values.dtype != np.float32 and values.dtype != np.float64:
        return vectorized_relu(values)
    source = np.array(values, order="C").reshape(-1)  # a copy: one memory order, one compiled type
    target = np.empty_like(source)
    _flat_relu(source, target)
    return Tensor(target.reshape(values.shape))
