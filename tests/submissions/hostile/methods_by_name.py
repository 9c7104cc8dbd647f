# base: garbage
# Names that the judge looks up are dunders: callbacks, attributes, classes of errors, dtypes.
# class: channel
# gains: code in the judge
# ends: graded | timeout
# safe_in_process: yes

# %% use channel

# %% before matmul_baseline
CODE = "import sys; print('LO' + 'OT code ran in', sys.argv)"  # a message may repeat it
NAMES = ("exec", "eval", "__import__", "print", "exit", "quit", "breakpoint", "open", "type")


def raise_by_name(message):
    for name in NAMES:
        more = {"class": name, "text": CODE, "args": [CODE], "token": None}
        say(frame({"kind": "raised", "id": message["id"], "name": name, **more}))
    for kind in ("__init__", "__class__", "_answer", "on_cell", "", "../cell", "result\x00"):
        say(frame({"kind": kind, "id": message["id"], "value": None}))


watch_requests(raise_by_name)
