# Finds the process's end of the grader's channel, and writes into it; nothing outside a sandbox.
import gc
import itertools
import json
import os
import socket
import struct
import sys
import threading

IN_SANDBOX = os.getuid() == 65534
current = []  # the ids of the requests, as they come


def find_child():
    for thing in gc.get_objects():
        if type(thing).__name__ == "Child" and hasattr(thing, "channel"):
            return thing
    return None


def find_socket():
    if not IN_SANDBOX:
        return None
    child = find_child()
    if child is not None:
        return child.channel
    for number in range(3, 256):
        try:
            found = socket.socket(fileno=os.dup(number))
        except OSError:
            continue
        if found.family == socket.AF_UNIX:
            return found
    return None


def frame(message, blobs=(), magic=0x54695931, text=None, length=None, memory=None, lengths=None):
    message = {**message, "blobs": lengths if lengths is not None else [len(b) for b in blobs]}
    text = json.dumps(message).encode() if text is None else text
    body = b"".join(blobs)
    header = struct.pack(
        ">IIQ",
        magic,
        len(text) if length is None else length,
        len(body) if memory is None else memory,
    )
    return header + text + body


def say(raw):
    channel = find_socket()
    if channel is not None:
        try:
            channel.sendall(raw)
        except OSError:
            pass


def watch_requests(before=None):
    """Note each request's id; before(message) runs ahead of the real answer."""
    child = find_child() if IN_SANDBOX else None
    if child is None:
        return
    honest = child._answer

    def answer(message, blobs):
        current.append(message["id"])
        if before is not None and message["kind"] != "cell":
            before(message)
        honest(message, blobs)

    child._answer = answer


def result(number, value, **more):
    return {"kind": "result", "id": number, "value": value, "changed": {}, "printed": "", **more}
