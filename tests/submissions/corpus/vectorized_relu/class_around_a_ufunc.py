# right: an object with __call__ that was configured with a ufunc and a threshold
# %%
class Threshold:
    def __init__(self, ufunc, threshold):
        self.ufunc = ufunc
        self.threshold = threshold

    def __call__(self, x):
        data = as_array(x)
        bound = np.full_like(data, self.threshold)
        out = np.empty_like(data)
        self.ufunc(data, bound, out=out)
        return Tensor(out)


vectorized_relu = Threshold(np.maximum, 0)
