"""Jupyter servers on loopback, for tests that come through the door of a browser or of HTTP."""

import os
import secrets
import socket
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple


class Server(NamedTuple):
    """A server that was started; it may take a while until it listens."""

    port: int
    token: str
    log: Path


@contextmanager
def jupyter_server(
    command: Sequence[str | Path], folder: Path, home: Path, **environment: str
) -> Iterator[Server]:
    """Run a command of Jupyter's in `folder` while this lasts.

    `home` stands for the user's home, so that nobody's own settings play a part; the server's log
    is written there. environment: variables besides this process's own.
    """
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    token, log = secrets.token_hex(16), home / "server.log"
    options = ("--no-browser", "--allow-root", f"--port={port}", "--port-retries=0")
    with log.open("w") as output:
        process = subprocess.Popen(
            [*command, *options],
            cwd=folder,
            env={**os.environ, "HOME": str(home), "JUPYTER_TOKEN": token, **environment},
            stdout=output,
            stderr=output,
        )
    try:
        yield Server(port, token, log)
    finally:
        process.terminate()
        process.wait(timeout=30)
