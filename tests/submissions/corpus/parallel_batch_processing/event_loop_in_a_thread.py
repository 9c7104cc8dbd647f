# right: asyncio with run_in_executor, in a thread of its own since a notebook has a loop already
# %%
import asyncio
import functools


async def gather_in_order(pool, operation, items):
    loop = asyncio.get_running_loop()
    return await asyncio.gather(*(loop.run_in_executor(pool, operation, item) for item in items))


def in_a_new_loop(pool, operation, items):
    return asyncio.run(gather_in_order(pool, operation, items))


def checks_workers(fn):
    @functools.wraps(fn)
    def checked(batch_data, operation, num_workers=4):
        return fn(batch_data, operation, positive_int("num_workers", num_workers))

    return checked

# %%
@checks_workers
def parallel_batch_processing(batch_data, operation, num_workers=4):
    items = list(batch_data)
    with ThreadPoolExecutor(1) as host, ThreadPoolExecutor(num_workers) as pool:
        return list(host.submit(in_a_new_loop, pool, operation, items).result())
