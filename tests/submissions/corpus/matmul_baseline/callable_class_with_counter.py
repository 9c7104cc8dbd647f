# right: an instance of a class with __call__, which also counts its calls and prints
# %%
class Baseline:
    """Callable, remembers how often it was used."""

    def __init__(self):
        self.calls = 0

    def __call__(self, A, B):
        self.calls += 1
        product = matmul(A, B)
        print(f"call {self.calls}: result is {product.shape}")
        return Tensor(product)


matmul_baseline = Baseline()
