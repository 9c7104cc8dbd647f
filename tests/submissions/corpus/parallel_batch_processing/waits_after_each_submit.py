# wrong: asks for each result before the next item is submitted
# loses: mechanism
# %%
def parallel_batch_processing(batch_data, operation, num_workers=4):
    workers = positive_int("num_workers", num_workers)
    outputs = []
    with ThreadPoolExecutor(max_workers=workers) as executor:
        for item in batch_data:
            outputs.append(executor.submit(operation, item).result())
    return outputs
