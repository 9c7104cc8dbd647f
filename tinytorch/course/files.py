"""Writes a file whole or not at all, and only if it would change. Knows nothing of courses."""

import os
from pathlib import Path

from tinytorch.course.project import CourseError


def write_whole(path: Path, content: bytes) -> bool:
    """Write `content` in one step; return False, and leave the file alone, if it was there already.

    Raises CourseError if the folder cannot be written to; then the old file is untouched.
    """
    half = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        if path.is_file() and path.read_bytes() == content:
            return False
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            half.write_bytes(content)
            os.replace(half, path)
        finally:
            half.unlink(missing_ok=True)
    except OSError as error:
        raise CourseError(
            f"{path} cannot be written: {error.strerror}. Look at the folder's permissions "
            "and at the free space on its disk."
        ) from error
    return True
