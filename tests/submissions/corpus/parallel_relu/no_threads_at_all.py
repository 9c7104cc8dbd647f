# wrong: num_workers is checked and then ignored, one thread does everything
# loses: mechanism
# %%
def parallel_relu(x, num_workers=4):
    positive_int("num_workers", num_workers)
    return vectorized_relu(x)
