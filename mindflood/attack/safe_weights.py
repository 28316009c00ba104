"""No pickled weights, whatever another package asks transformers for."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

from transformers import PreTrainedModel


@contextmanager
def safetensors_only() -> Iterator[None]:
    """While it lasts, transformers loads weights from safetensors or not at all.

    TextAttack and sentence-transformers leave the choice to transformers, which takes
    ``pytorch_model.bin``, a pickle, where a model has nothing else.
    """
    load = PreTrainedModel.from_pretrained.__func__

    def from_pretrained(cls: Any, *args: Any, **options: Any) -> Any:
        return load(cls, *args, **{**options, "use_safetensors": True})

    with mock.patch.object(PreTrainedModel, "from_pretrained", classmethod(from_pretrained)):
        yield
