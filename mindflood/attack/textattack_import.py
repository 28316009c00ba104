"""TextAttack, imported where its NLTK data may be missing and no network may be there.

TextAttack builds constraints while it is imported and fails without the NLTK stop words, and
its first import in a home folder tries six downloads. Import it from here instead::

    from mindflood.attack.textattack_import import textattack
"""

import logging
import os
import warnings
from pathlib import Path

from mindflood.attack import nltk_data
from mindflood.files import explained


def _no_downloads_at_import() -> None:
    """Tell TextAttack that its own first-time downloads are done: ours took their place."""
    cache = Path(os.environ.get("TA_CACHE_DIR", Path.home() / ".cache" / "textattack"))
    with explained(cache):
        cache.mkdir(parents=True, exist_ok=True)
        (cache / "post_install_check_3").touch()


nltk_data.stop_words()
_no_downloads_at_import()
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import textattack

# Its notices (goal function compatible with model, unknown language) say nothing about a run.
for name in ("textattack", "textattack.shared.utils.install"):
    logging.getLogger(name).setLevel(logging.ERROR)

__all__ = ["textattack"]
