"""A RUN folder belongs to the rows that its training began with."""

from functools import cache
from pathlib import Path

from mindflood.data.record import RECORD, RecordedRows, described, read_record, write_record
from mindflood.errors import UserError
from mindflood.terminal import tell
from mindflood.training.dataset import Rows
from mindflood.training.run_folder import begun


def claim_rows(run: Path, rows: Rows) -> None:
    """Record the rows of a run that begins, or find that they are those it began with.

    How a file was divided into splits is said on stderr, once a process.

    Raises:
        UserError: training has begun with other rows, or the folder cannot be written to.
    """
    if rows.division is not None:
        _say(rows.division)
    now = {name: _entry(rows, name) for name in rows.splits}
    before = read_record(run)
    if before is not None and begun(run):
        for name, entry in now.items():
            if (before[name]["rows"], before[name]["hash"]) != (entry["rows"], entry["hash"]):
                raise UserError(
                    f"{run / RECORD}: the run began with other {name} rows: "
                    f"{described(before[name])}; now there are {described(entry)}; restore the "
                    "data, or choose another output folder or name, or delete this one"
                )
    if before != now:  # data that was moved is read where it is now
        write_record(run, now)


def _entry(rows: Rows, name: str) -> RecordedRows:
    examples, source = getattr(rows, name), rows.origins[name]
    return {
        "split": rows.splits[name],
        "source": str(Path(source).resolve()) if Path(source).exists() else source,
        "rows": len(examples),
        "hash": rows.hashes[name],
    }


@cache
def _say(line: str) -> None:
    tell(line)
