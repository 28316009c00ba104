"""MindSpore's process-wide settings, made once before the first cell."""

import mindspore as ms

from mindflood.errors import UserError
from mindflood.process import usable_cores


def set_up(device: str, mode: str, threads: int | None) -> str:
    """Choose device, execution mode and CPU threads.

    Args:
        device: ``CPU``, ``GPU``, ``Ascend``, or ``auto`` for the best that MindSpore has.
        mode: ``graph`` or ``pynative``.
        threads: of the CPU kernels; None takes the machine's cores.

    Returns:
        The device's name.

    Raises:
        UserError: this machine's MindSpore has no such device.
    """
    # MindSpore's own default is the best device that its package and this machine share.
    name = ms.get_context("device_target") if device == "auto" else device
    try:
        if not _runs_on(name):
            ms.set_device(name)
    except (ValueError, RuntimeError) as error:
        reason = str(error).splitlines()[0]
        raise UserError(
            f"device: MindSpore has no {name} here ({reason}); use device: auto"
        ) from error
    ms.set_context(mode=ms.GRAPH_MODE if mode == "graph" else ms.PYNATIVE_MODE)
    cores = threads or usable_cores()
    if name == "CPU":
        # MindSpore's own default is 25 threads, whatever the machine has.
        ms.set_context(runtime_num_threads=cores)
    return name


def _runs_on(name: str) -> bool:
    """Whether a kernel has run on this device: MindSpore then refuses even the same choice."""
    return bool(ms.get_context("device_target") == name and ms.hal.is_initialized(name))
