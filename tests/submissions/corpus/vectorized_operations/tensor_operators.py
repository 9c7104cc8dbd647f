# right: the operators of Tensor, a class with __call__, shadowed names
# %%
import warnings

x, y, A, B = "x", "y", "A", "B"
rng = expected = got = None
abs = 3
str = "a string"


class Operations:
    names = ("multiply", "add", "squared_diff")

    def __call__(self, x, y):
        X, Y = Tensor(x), Tensor(y)
        self.check(X, Y)
        if X.size > 1000:
            warnings.warn("large input", stacklevel=2)
        if X.dtype == Y.dtype == bool:
            D = Tensor(X.data ^ Y.data)
        else:
            D = X - Y
        return dict(zip(self.names, (X * Y, X + Y, D * D)))

    @staticmethod
    def check(X, Y):
        if X.shape != Y.shape:
            raise ValueError(f"shapes must be equal, got {X.shape} and {Y.shape}")


vectorized_operations = Operations()
