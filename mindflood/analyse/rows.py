"""The sample of rows that an analysis looks at."""

from mindflood.attack.chosen import Rows
from mindflood.data.sources import Examples
from mindflood.terminal import tell


def sampled(rows: Rows, limit: int | None, seed: int) -> Examples:
    """At most ``limit`` of the rows; a share of them is told on stderr."""
    found = rows.examples.sample(limit, seed)
    if len(found) < len(rows.examples):
        tell(f"analysing {rows.told(len(found), seed)}")
    return found
