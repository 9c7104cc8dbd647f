# wrong: an exception of the operation is printed and its result is None
# loses: errors
# %%
def parallel_batch_processing(batch_data, operation, num_workers=4):
    workers = positive_int("num_workers", num_workers)

    def careful(item):
        try:
            return operation(item)
        except Exception as e:
            print(f"operation failed: {e}")
            return None

    with ThreadPoolExecutor(workers) as pool:
        return list(pool.map(careful, batch_data))
