# right: num_workers - 1 threads and the caller take the next item from an iterator under a lock
# %%
import threading


class Team:
    def __init__(self, batch, operation):
        self.todo = iter(list(enumerate(batch)))
        self.operation = operation
        self.lock = threading.Lock()
        self.results = {}
        self.error = None

    def next_item(self):
        with self.lock:
            return None if self.error else next(self.todo, None)

    def work(self):
        while (pair := self.next_item()) is not None:
            index, item = pair
            try:
                self.results[index] = self.operation(item)
            except BaseException as error:
                self.error = self.error or error

# %%
def parallel_batch_processing(batch_data, operation, num_workers=4):
    workers = positive_int("num_workers", num_workers)
    team = Team(batch_data, operation)
    helpers = [threading.Thread(target=team.work) for _ in range(workers - 1)]
    for helper in helpers:
        helper.start()
    team.work()
    for helper in helpers:
        helper.join()
    if team.error is not None:
        raise team.error
    return [team.results[index] for index in sorted(team.results)]
