"""How many cores there are to share out."""

import os


def usable_cores() -> int:
    """Cores that this process may use: a scheduler or ``taskset`` may give it some of them only."""
    if hasattr(os, "sched_getaffinity"):  # not on macOS
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
