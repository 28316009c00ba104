"""The JSON-lines files of a RUN folder, which a continued run carries on."""

import json
import os
from pathlib import Path
from typing import Any

from mindflood.errors import UserError
from mindflood.files import explained, read_json_lines, write_text


class JsonLines:
    """Append records to a file; each is handed to the system whole, so that a kill loses none.

    Args:
        path: the file.
        up_to_step: records of later steps, left by a killed process, are taken off first.
        writes: False makes every call do nothing (workers that do not write).
        durable: a record is on the disk before :meth:`append` returns, so that the machine itself
            may stop: for records without which a later checkpoint could not be continued.

    Raises:
        UserError: a line is damaged; the message names it, and the file stays as it is.
    """

    def __init__(
        self, path: Path, up_to_step: int, writes: bool = True, *, durable: bool = False
    ) -> None:
        self.path = path
        self._writes, self._durable = writes, durable
        if writes:
            kept = lines_up_to(path, up_to_step)
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
            if self._durable:
                file.flush()
                os.fsync(file.fileno())


def lines_up_to(path: Path, step: int) -> list[dict[str, Any]]:
    """The records of a file of steps, without those of later steps.

    Raises:
        UserError: a line is not JSON, holds NaN, or has no step.
    """
    records = read_json_lines(path, finite=True)
    for number, record in enumerate(records, start=1):
        if not isinstance(record, dict) or type(record.get("step")) is not int:
            raise UserError(
                f"{path}, line {number}: no step, expected a record with a whole number 'step'; "
                "restore the line, or delete the run folder to start again"
            )
    return [record for record in records if record["step"] <= step]


def _line(record: dict[str, Any]) -> str:
    return json.dumps(record, allow_nan=False) + "\n"
