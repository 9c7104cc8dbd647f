# base: reference
# One answer never ends.

# %% parallel_batch_processing
#| export
def parallel_batch_processing(batch_data, operation, num_workers=4, executor=None):
    results = []
    while len(results) < len(batch_data):
        operation(batch_data[len(results)])
    return results
