"""The rows that an analysis looks at: of a file all, else of the split that is attacked."""

from collections.abc import Sequence

from mindflood.data.sources import Examples, Source
from mindflood.data.tasks import Task
from mindflood.terminal import tell


def whole_split(
    task: Task, data: str | None, *, whole_file: bool = True, own_names: Sequence[str] = ()
) -> tuple[Examples, str]:
    """All rows, and where they are from in words.

    Args:
        data, own_names: as :class:`mindflood.data.sources.Source` takes them.
        whole_file: where ``data`` is a file, all its rows, whatever the split.

    Raises:
        UserError: names the file and row, what was expected and what to do.
    """
    source = Source(task, data, own_names)
    if whole_file and source.file is not None:
        return source.whole(), str(source.file)
    split = task.attacked_split
    return source.examples(split), f"split {split}, {source.described(split)}"


def sampled(whole: Examples, origin: str, limit: int | None, seed: int) -> Examples:
    """At most ``limit`` of the rows; a share of them is told on stderr."""
    found = whole.sample(limit, seed)
    if len(found) < len(whole):
        said = f"analysing {len(found)} of {len(whole)} rows of {origin} (seed {seed})"
        tell(said)
    return found
