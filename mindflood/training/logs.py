"""The JSON-lines files of a RUN folder, which a continued run carries on."""

import json
from pathlib import Path
from typing import Any

from mindflood.files import explained, read_json_lines, write_text


class JsonLines:
    """Append records to a file; each is handed to the system whole, so that a kill loses none.

    Args:
        path: the file.
        up_to_step: records of later steps, left by a killed process, are taken off first.
        writes: False makes every call do nothing (workers that do not write).
    """

    def __init__(self, path: Path, up_to_step: int, writes: bool = True) -> None:
        self.path = path
        self._writes = writes
        if writes:
            kept = [record for record in read_json_lines(path) if record["step"] <= up_to_step]
            write_text(path, "".join(_line(record) for record in kept))

    def append(self, record: dict[str, Any]) -> None:
        """Add one line.

        Raises:
            UserError: the disk is full or the folder cannot be written to.
        """
        if not self._writes:
            return
        with explained(self.path), self.path.open("a", encoding="utf-8") as file:
            file.write(_line(record))


def _line(record: dict[str, Any]) -> str:
    return json.dumps(record, allow_nan=False) + "\n"
