"""From the MindSpore checkpoint to a Hugging Face folder that PyTorch loads."""

from pathlib import Path
from typing import Any


def export_torch(run: str | Path, out: str | Path, **options: Any) -> Any:
    """See :func:`mindflood.bridge.export.export_torch`; MindSpore is imported on the first call."""
    from mindflood.bridge import export

    return export.export_torch(run, out, **options)


__all__ = ["export_torch"]
