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
    found = ", ".join(map(shown, there)) or "none"
    meant = did_you_mean(column, there)
    if task.own:
        return f"no column '{column}'; there are {found}; {remedy or 'name one of these'}{meant}"
    remedy = remedy or f"rename the column to '{column}'{meant}"
    return f"no column '{column}', which task {task.name} needs; there are {found}; {remedy}"
