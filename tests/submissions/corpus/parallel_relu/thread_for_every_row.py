# wrong: starts a thread for each row, however many there are
# loses: mechanism
# %%
import threading


def relu_row(source, target):
    np.maximum(source, source.dtype.type(0), out=target)


def parallel_relu(x, num_workers=4):
    values = as_array(x)
    positive_int("num_workers", num_workers)
    if values.ndim < 2:
        rows = values.reshape(-1)
        rows = np.array_split(rows, 64)
        out = np.empty(values.size, values.dtype)
        targets = np.array_split(out, 64)
    else:
        out = np.empty(values.shape, values.dtype)
        rows, targets = list(values), list(out)
    threads = [threading.Thread(target=relu_row, args=pair) for pair in zip(rows, targets)]
    [t.start() for t in threads]
    [t.join() for t in threads]
    return Tensor(out.reshape(values.shape))
