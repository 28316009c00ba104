"""A column that a file lacks, in one line."""

from collections.abc import Sequence

from mindflood.data.rows import shown
from mindflood.data.tasks import Task
from mindflood.errors import did_you_mean


def lacks_column(column: str, there: Sequence[str], task: Task, remedy: str | None = None) -> str:
    """What a message says of a column that is not among those that are ``there``.

    Args:
        remedy: what to do about it, where more is known than that.
    """
    named = "" if task.own else f", which task {task.name} needs"
    if not there:
        return f"no column '{column}'{named}; there are none at all; give a file with columns"
    found = ", ".join(map(shown, there))
    meant = did_you_mean(column, there)
    if task.own:
        return f"no column '{column}'; there are {found}; {remedy or 'name one of these'}{meant}"
    remedy = remedy or f"rename the column to '{column}'{meant}"
    return f"no column '{column}'{named}; there are {found}; {remedy}"
