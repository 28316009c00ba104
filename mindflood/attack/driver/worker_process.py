"""How an attack worker begins: it watches its parent before it imports what takes long."""

import os
import threading
from multiprocessing import parent_process
from multiprocessing.connection import wait
from typing import Any


def begin(*arguments: Any) -> None:
    """Work, as :func:`mindflood.attack.driver.worker.work`, for as long as the parent is there."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    from mindflood.attack.driver.worker import work  # PyTorch and TextAttack

    work(*arguments)


def _end_with_parent() -> None:
    """A parent that is killed cannot end its workers: they watch it."""
    parent = parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)
