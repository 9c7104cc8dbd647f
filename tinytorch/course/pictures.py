"""Says whether what calls itself a picture is one, by its first bytes and its size.

Of a submission only pictures that pass are kept. Nothing is decoded here but base64.
"""

import base64
import binascii
import struct

MAX_ENCODED = 3_000_000  # characters of a picture in base64
MAX_SIDE = 10_000  # pixels
MAX_PIXELS = 40_000_000  # more would fill the memory of whoever looks at the page
_PNG = b"\x89PNG\r\n\x1a\n"
_JPEG = b"\xff\xd8\xff"
_FIRST = struct.pack(">I", 13) + b"IHDR"  # the chunk that every PNG begins with
_LAST = struct.pack(">I", 0) + b"IEND"


def is_picture(kind: str, encoded: object) -> bool:
    """Say whether `encoded` is base64 of a picture of this kind: image/png or image/jpeg."""
    content = _decoded(encoded)
    if kind == "image/jpeg":
        return content.startswith(_JPEG)
    return kind == "image/png" and _is_png(content)


def _decoded(encoded: object) -> bytes:
    if not isinstance(encoded, str) or len(encoded) > MAX_ENCODED:
        return b""
    try:
        return base64.b64decode("".join(encoded.split()), validate=True)
    except (binascii.Error, ValueError):  # ValueError: letters that are not ASCII
        return b""


def _is_png(content: bytes) -> bool:
    if not content.startswith(_PNG + _FIRST) or len(content) < 33:
        return False
    width, height = struct.unpack_from(">II", content, 16)
    if not (0 < width <= MAX_SIDE and 0 < height <= MAX_SIDE and width * height <= MAX_PIXELS):
        return False
    place = len(_PNG)
    while place + 12 <= len(content):  # length, name, content and checksum of a chunk
        if content.startswith(_LAST, place):
            return place + 12 == len(content)
        place += 12 + int(struct.unpack_from(">I", content, place)[0])
    return False
