"""Makes what no notebook can hold: links, devices, and files that are no proper notebook.

Each function gets the path where the notebook belongs, in an empty folder, and its bytes.
"""

import json
import os
import socket
import zlib
from collections.abc import Callable
from pathlib import Path


def linked_notebook(path: Path, content: bytes) -> None:
    path.symlink_to(_course(path) / "modules" / "source" / "11_kernels" / path.name)


def links_beside(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    (path.parent / "passwd").symlink_to("/etc/passwd")
    (path.parent / "gradebook.db").symlink_to(_course(path) / "gradebook.db")
    (path.parent / "loop").symlink_to("loop")
    (path.parent / "above").symlink_to("..", target_is_directory=True)


def linked_folder(path: Path, content: bytes) -> None:
    elsewhere = path.parent.with_name("elsewhere")
    elsewhere.mkdir()
    (elsewhere / path.name).write_bytes(content)
    path.parent.rmdir()
    path.parent.symlink_to(elsewhere, target_is_directory=True)


def fifo_notebook(path: Path, content: bytes) -> None:
    os.mkfifo(path)


def zero_notebook(path: Path, content: bytes) -> None:
    path.symlink_to("/dev/zero")


def socket_notebook(path: Path, content: bytes) -> None:
    here = os.open(".", os.O_RDONLY)
    os.chdir(path.parent)  # a socket's address may have 108 characters
    try:
        with socket.socket(socket.AF_UNIX) as listening:
            listening.bind(path.name)
    finally:
        os.fchdir(here)
        os.close(here)


def deep_folder(path: Path, content: bytes) -> None:
    place = path
    for _ in range(500):
        place = place / "a"
    place.mkdir(parents=True)


def fifty_megabytes(path: Path, content: bytes) -> None:
    notebook = json.loads(content)
    notebook["cells"].append({**_markdown("x" * 50_000_000)})
    path.write_text(json.dumps(notebook))


def five_megabyte_cell(path: Path, content: bytes) -> None:
    notebook = json.loads(content)
    notebook["cells"].insert(1, _code("total = 0" + " + 1" * 1_200_000))
    notebook["cells"].insert(2, _code("total = " + "(" * 5_000 + "1" + ")" * 5_000))
    path.write_text(json.dumps(notebook))


def fifty_thousand_cells(path: Path, content: bytes) -> None:
    notebook = json.loads(content)
    notebook["cells"] += [_code(f"n = {n}") for n in range(50_000)]
    path.write_text(json.dumps(notebook))


def utf16_notebook(path: Path, content: bytes) -> None:
    path.write_bytes(content.decode().encode("utf-16"))


def nbformat_3(path: Path, content: bytes) -> None:
    cells = json.loads(content)["cells"]
    for cell in cells:
        if cell["cell_type"] == "code":
            cell["input"], cell["language"] = cell.pop("source"), "python"
            cell.pop("execution_count", None)
    old = {"metadata": {"name": "old"}, "nbformat": 3, "nbformat_minor": 0}
    path.write_text(json.dumps(old | {"worksheets": [{"cells": cells, "metadata": {}}]}))


def nbformat_99(path: Path, content: bytes) -> None:
    notebook = json.loads(content) | {"nbformat": 99, "nbformat_minor": -1}
    path.write_text(json.dumps(notebook | {"cells": {"0": notebook["cells"]}, "metadata": []}))


def json_bomb(path: Path, content: bytes) -> None:
    deep = "[" * 100_000 + "]" * 100_000
    digits = "9" * 1_000_000
    text = content.decode().rstrip().removesuffix("}")
    path.write_text(f'{text}, "metadata": {{"n": NaN, "n": {digits}}}, "deep": {deep}}}')


def duplicate_keys(path: Path, content: bytes) -> None:
    text = content.decode().replace('"grade": true', '"grade": true, "points": 0, "grade": false')
    path.write_text(text.replace('"locked": true', '"locked": true, "locked": false'))


def truncated(path: Path, content: bytes) -> None:
    path.write_bytes(content[: len(content) // 2])


def strange_names(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    for name in ("..\\..\\evil.py", "a\nb", "-rf", "~", "$(touch LOOT)", "\u2215etc\u2215passwd"):
        (path.parent / name).write_text("print('LOOT')")
    (path.parent / b"\xff\xfe.txt".decode("utf-8", "surrogateescape")).write_text("?")
    for number in range(3_000):
        (path.parent / f"{number}.txt").touch()


def _course(path: Path) -> Path:
    """The course above <course>/submitted/<student>/<assignment>/<notebook>."""
    return path.parents[3].resolve()


def _code(source: str) -> dict:
    return {
        "cell_type": "code",
        "id": f"c{zlib.crc32(source.encode())}",
        "metadata": {},
        "source": source,
        "outputs": [],
        "execution_count": None,
    }


def _markdown(source: str) -> dict:
    return {"cell_type": "markdown", "id": "large", "metadata": {}, "source": source}


BUILDERS: dict[str, Callable[[Path, bytes], None]] = {
    make.__name__: make
    for make in (
        linked_notebook,
        links_beside,
        linked_folder,
        fifo_notebook,
        zero_notebook,
        socket_notebook,
        deep_folder,
        fifty_megabytes,
        five_megabyte_cell,
        fifty_thousand_cells,
        utf16_notebook,
        nbformat_3,
        nbformat_99,
        json_bomb,
        duplicate_keys,
        truncated,
        strange_names,
    )
}
