"""Apertium's translators, which Debian packages: offline, one translation a text."""

import shutil
import subprocess
from collections.abc import Sequence

from mindflood.errors import UserError

PROGRAM = "apertium"
_PACKAGES = {"spa": "apertium-eng-spa", "cat": "apertium-eng-cat"}
_BETWEEN = "\n\n"  # a blank line ends a sentence, so that none reaches into the next


def language_pairs() -> set[str]:
    """The translators that are installed, for instance ``eng-spa``.

    Raises:
        UserError: Apertium is not installed.
    """
    if shutil.which(PROGRAM) is None:
        raise UserError(f"back-translation: the program apertium is not there; {mend(('spa',))}")
    return set(_run(["-l"], "").split())


def check_pivots(pivots: Sequence[str]) -> None:
    """Check that texts can be translated there and back.

    Raises:
        UserError: a translator is missing; the message says what to install.
    """
    there = language_pairs()
    for pivot in pivots:
        for pair in (f"eng-{pivot}", f"{pivot}-eng"):
            if pair not in there:
                raise UserError(f"augmentation.pivots: no translator {pair}; {mend((pivot,))}")


def mend(pivots: Sequence[str]) -> str:
    """What installs the translators, in words."""
    packages = [_PACKAGES.get(pivot, f"apertium-eng-{pivot}") for pivot in pivots]
    return (
        f"install Debian's: apt-get install --no-install-recommends apertium {' '.join(packages)}; "
        "or set augmentation.translator: marian"
    )


def there_and_back(texts: Sequence[str], pivot: str) -> list[str]:
    """Every text in English again, in their order.

    Raises:
        UserError: the translator failed, or gave back other lines than it was given.
    """
    return translated(translated(texts, f"eng-{pivot}"), f"{pivot}-eng")


def translated(texts: Sequence[str], pair: str) -> list[str]:
    """Each text by itself; ``-u`` leaves unknown words unmarked."""
    lines = [" ".join(text.split()) or "." for text in texts]
    # Ends with a line break, as it reads on to the end of a line. Of a word like "will" by itself
    # nothing may be left, so that no other line break is dropped.
    found = _run(["-u", pair], _BETWEEN.join(lines) + "\n").removesuffix("\n").split(_BETWEEN)
    if len(found) != len(lines):
        raise UserError(
            f"apertium {pair}: {len(lines)} texts went in and {len(found)} came out; leave "
            "characters that are no text out of the data, or choose another of augmentation.pivots"
        )
    return [" ".join(line.split()) for line in found]


def _run(words: list[str], text: str) -> str:
    done = subprocess.run(
        [PROGRAM, *words], input=text, capture_output=True, encoding="utf-8", check=False
    )
    if done.returncode != 0:
        said = done.stderr.strip().splitlines() or done.stdout.strip().splitlines() or ["nothing"]
        raise UserError(f"apertium {' '.join(words)}: failed: {said[-1][:200]}")
    return done.stdout
