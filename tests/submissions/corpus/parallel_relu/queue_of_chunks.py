# right: num_workers threads take chunks from a queue, a class with __call__
# %%
import queue
import threading
import warnings


class QueuedRelu:
    chunk = 50_000

    def __call__(self, x, num_workers=4):
        workers = positive_int("num_workers", num_workers)
        values = as_array(x)
        flat = values.reshape(-1)
        out = np.empty(flat.shape, flat.dtype)
        todo = queue.SimpleQueue()
        for start in range(0, flat.size, self.chunk):
            todo.put(slice(start, start + self.chunk))
        needed = min(workers, todo.qsize())
        if needed < workers:
            warnings.warn("fewer chunks than workers", stacklevel=2)
        team = [threading.Thread(target=self.work, args=(todo, flat, out)) for _ in range(needed)]
        for member in team:
            member.start()
        for member in team:
            member.join()
        return Tensor(out.reshape(values.shape))

    def work(self, todo, flat, out):
        while True:
            try:
                part = todo.get_nowait()
            except queue.Empty:
                return
            np.maximum(flat[part], flat.dtype.type(0), out=out[part])


parallel_relu = QueuedRelu()
