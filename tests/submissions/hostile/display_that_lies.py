# base: garbage
# Values whose _repr_ methods loop, return other types, or 50 MB of text for each kind.
# class: flooding
# gains: a grader that hangs or fails while it writes an output down
# ends: graded | timeout
# safe_in_process: yes

# %% before test_vectorized_relu
class Shown:
    def _repr_png_(self):
        return {"not": "bytes"}

    def _repr_html_(self):
        return 5

    def _repr_mimebundle_(self, include=None, exclude=None):
        return {"text/plain": ["a", object()], "image/png": 7, 3: 4}, {"x": float("nan")}


display(Shown())
Shown()
