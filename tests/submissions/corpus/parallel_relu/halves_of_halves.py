# right: divides in two, a thread for one half and the caller for the other, with a budget of threads
# %%
import threading


def conquer(source, target, zero, team):
    if team == 1 or source.size < 2:
        np.maximum(source, zero, out=target)
        return
    theirs = team // 2
    cut = source.size * theirs // team
    helper = threading.Thread(target=conquer, args=(source[:cut], target[:cut], zero, theirs))
    helper.start()
    conquer(source[cut:], target[cut:], zero, team - theirs)
    helper.join()

# %%
def parallel_relu(x, num_workers=4):
    values = as_array(x)
    workers = positive_int("num_workers", num_workers)
    source = values.ravel()
    target = np.empty_like(source)
    conquer(source, target, source.dtype.type(0), workers)
    return Tensor(target.reshape(values.shape))
