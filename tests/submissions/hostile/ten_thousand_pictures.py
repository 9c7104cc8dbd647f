# base: garbage
# Ten thousand pictures are displayed, and one that is updated ten thousand times.
# class: flooding
# gains: as much memory and a page of a gigabyte
# ends: graded | timeout
# safe_in_process: yes

# %% before test_vectorized_relu
import base64

from IPython.display import publish_display_data

PIXEL = base64.b64encode(b"\x89PNG\r\n\x1a\n" + b"\0" * 100_000).decode()
for _ in range(2_000):
    publish_display_data({"image/png": PIXEL})
handle = display("once", display_id=True)
for number in range(8_000):
    handle.update(f"again {number}")
