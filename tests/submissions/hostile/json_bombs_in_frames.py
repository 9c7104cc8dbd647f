# base: garbage
# Frames of deep brackets, long numbers, duplicate keys, NaN, lone surrogates.
# class: frames
# gains: a crash or minutes of the judge's parser
# ends: graded | timeout
# safe_in_process: yes

# %% use channel

# %% before matmul_baseline
BOMBS = [
    b"[" * 1_000_000,
    b'{"kind": "result", "id": 1, "id": 2, "value": ' + b"[" * 900_000 + b"]" * 900_000 + b"}",
    b'{"kind": "result", "value": ' + b"9" * 3_000_000 + b"}",
    b'{"kind": "result", "value": NaN, "blobs": [NaN, Infinity, -1]}',
    b'{"kind": "result", "value": "\\ud800", "id": "\\udfff"}',
    b'{"blobs": [' + b"0," * 1_000_000 + b"0]}",
    b"null",
    b"",
]


def bomb(message):
    say(frame({}, text=BOMBS[len(current) % len(BOMBS)]))


watch_requests(bomb)
