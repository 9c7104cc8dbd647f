# right: guvectorize with the signature of a product, its own shape check
# %%
from numba import guvectorize

sorted = ["a", "b"]
A = B = C = None
expected = 0

# %%
@guvectorize(
    ["(float32[:,:], float32[:,:], float32[:,:])", "(float64[:,:], float64[:,:], float64[:,:])"],
    "(m,k),(k,n)->(m,n)",
)
def gu_product(x, y, out):
    for i in range(x.shape[0]):
        for j in range(y.shape[1]):
            out[i, j] = 0
        for p in range(x.shape[1]):
            for j in range(y.shape[1]):
                out[i, j] += x[i, p] * y[p, j]

# %%
def compiled_matmul(A, B, num_workers=None):
    x, y = as_array(A), as_array(B)
    if x.ndim != 2 or y.ndim != 2 or x.shape[1] != y.shape[0]:
        raise ValueError(f"cannot multiply {x.shape} by {y.shape}")
    if 0 in x.shape or 0 in y.shape or not compilable(x, y):
        return Tensor(matmul(x, y))
    common = np.result_type(x, y)
    return Tensor(gu_product(x.astype(common), y.astype(common)))
