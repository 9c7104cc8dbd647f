# base: garbage
# Errors are said to be of builtin classes whose constructors want more, or that end a program.
# class: channel
# gains: an exception in the judge that no test expects, or the end of it
# ends: graded | timeout
# safe_in_process: yes

# %% use channel

# %% before matmul_baseline
import random

NAMES = ["SystemExit", "KeyboardInterrupt", "GeneratorExit", "UnicodeDecodeError", "MemoryError",
         "BaseExceptionGroup", "ExceptionGroup", "StopIteration", "StopAsyncIteration", "Warning",
         "RecursionError", "ImportError", "OSError", "BaseException", "WireError", "EOFError"]


def odd_error(message):
    name = NAMES[len(current) % len(NAMES)]
    more = {"class": name, "text": name, "args": [0, [], {}, None, "x"], "token": "forged"}
    say(frame({"kind": "raised", "id": message["id"], "name": name, **more}))


watch_requests(odd_error)
