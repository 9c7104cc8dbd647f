# wrong: shares of whole size, so that 4 items for 3 workers are two shares and one worker is idle
# loses: mechanism
# %%
def parallel_batch_processing(batch_data, operation, num_workers=4):
    workers = positive_int("num_workers", num_workers)
    items = list(batch_data)
    size = max(1, -(-len(items) // workers))
    shares = [items[i : i + size] for i in range(0, len(items), size)]

    def do_share(share):
        return [operation(item) for item in share]

    with ThreadPoolExecutor(workers) as pool:
        return [result for done in pool.map(do_share, shares) for result in done]
