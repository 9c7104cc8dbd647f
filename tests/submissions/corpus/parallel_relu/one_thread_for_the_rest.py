# wrong: what is left after equal shares gets a thread of its own, one more than num_workers
# loses: mechanism
# %%
import threading


def parallel_relu(x, num_workers=4):
    values = as_array(x)
    workers = positive_int("num_workers", num_workers)
    flat = values.ravel()
    zero = flat.dtype.type(0)
    out = np.empty_like(flat)
    share = max(1, flat.size // workers)
    team = []
    for start in range(0, flat.size, share):
        part = slice(start, start + share)
        args = (flat[part], zero, out[part])
        team.append(threading.Thread(target=np.maximum, args=args))
    for t in team:
        t.start()
    for t in team:
        t.join()
    return Tensor(out.reshape(values.shape))
