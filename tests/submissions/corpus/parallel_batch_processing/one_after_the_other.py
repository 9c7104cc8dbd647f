# wrong: a list comprehension, num_workers is only checked
# loses: mechanism
# %%
def parallel_batch_processing(batch_data, operation, num_workers=4):
    positive_int("num_workers", num_workers)
    return [operation(item) for item in batch_data]
