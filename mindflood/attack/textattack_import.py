"""TextAttack, imported where its NLTK data may be missing and no network may be there.

TextAttack builds constraints while it is imported and fails without the NLTK stop words, and
its first import in a home folder tries six downloads. Import it from here instead::

    from mindflood.attack.textattack_import import textattack

Neither it nor what it asks for loads pickled weights through transformers.
"""

import logging
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

import huggingface_hub.constants  # noqa: F401 (its cache is fixed before TextAttack moves it)
from transformers import PreTrainedModel

from mindflood.attack import nltk_data
from mindflood.files import explained


def _no_downloads_at_import() -> None:
    """Tell TextAttack that its own first-time downloads are done: ours took their place."""
    cache = Path(os.environ.get("TA_CACHE_DIR", Path.home() / ".cache" / "textattack"))
    with explained(cache):
        cache.mkdir(parents=True, exist_ok=True)
        (cache / "post_install_check_3").touch()


@contextmanager
def _hub_cache_of_the_user() -> Iterator[None]:
    """Where TA_CACHE_DIR is set, TextAttack makes it the hub's cache too, half-way through a run.

    What was found in one cache before is then looked for in another, by this run's own workers.
    """
    before = {name: os.environ.get(name) for name in ("HF_HOME", "XDG_CACHE_HOME")}
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value


nltk_data.stop_words()
_no_downloads_at_import()
with warnings.catch_warnings(), _hub_cache_of_the_user():
    warnings.simplefilter("ignore")
    import textattack

# Its notices (goal function compatible with model, unknown language) say nothing about a run, nor
# do those of jieba, which cuts Chinese texts into words for it.
for name in ("textattack", "textattack.shared.utils.install", "jieba"):
    logging.getLogger(name).setLevel(logging.ERROR)

__all__ = ["textattack"]


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
