"""The random sample of successes that is graded, and the key that tells which row is which."""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mindflood.attack.audit.sheet import row_of, write_sheet
from mindflood.attack.results.finished import Attack, attacks_in, texts_digest
from mindflood.errors import UserError
from mindflood.files import check_file, write_json

_LETTERS = "bcdfghjklmnpqrstvwxz"  # no words, and no numbers for a spreadsheet to rewrite
_NAME = 10  # letters: among 1,000 rows two are alike once in 20 million times
_ABOUT = (
    "Which row of the sheet is which success, and of which attack: not to be read before the sheet "
    "is graded. 'mindflood audit ATTACKS --grades SHEET' needs it."
)


def key_path(sheet: Path) -> Path:
    """The key of a sheet, beside it."""
    return sheet.with_name(f"{sheet.stem}.key.json")


def draw(places: Sequence[str | Path], sheet: Path, count: int, seed: int) -> list[Attack]:
    """Draw up to ``count`` successes of each attack and write them as a sheet, with its key.

    Args:
        places: as :func:`mindflood.attack.results.finished.attacks_in` takes them.
        seed: of the sample; a smaller one of the same seed is part of a larger one.

    Returns:
        The attacks, in the order of the key.

    Raises:
        UserError: sheet or key are there already, no attack succeeded, or as ``attacks_in``.
            Nothing is written then.
    """
    for path in (sheet, key_path(sheet)):
        check_file(path)
        if path.exists():
            raise UserError(
                f"{path}: is there already, and a sheet that may be graded is never written over; "
                "give its grades with --grades, or name another sheet with --sheet"
            )
    attacks = attacks_in(places)
    rows, named = [], {}
    for number, attack in enumerate(attacks):
        for index in _chosen(attack, count, seed):
            record = attack.successes[index]
            name = _name(seed, attack, index)
            named[name] = {"attack": number, "index": index, "texts": texts_digest(record)}
            rows.append(row_of(name, record, attack.task))
    if not rows:
        raise UserError(f"{attacks[0].path}: no attack succeeded; there is nothing to audit")
    write_json(key_path(sheet), _key(attacks, seed, dict(sorted(named.items()))))
    try:
        write_sheet(sheet, rows)
    except BaseException:  # a key alone would be in the way of the next try
        key_path(sheet).unlink()
        raise
    return attacks


def _chosen(attack: Attack, count: int, seed: int) -> list[int]:
    generator = np.random.default_rng([seed, int(attack.digest, 16)])
    indices = list(attack.successes)
    return [indices[place] for place in generator.permutation(len(indices))[:count]]


def _name(seed: int, attack: Attack, index: int) -> str:
    """Letters that tell nothing of what they name; their order is a random one."""
    content = json.dumps([seed, attack.identity, attack.digest, index], sort_keys=True)
    number = int(hashlib.sha256(content.encode()).hexdigest(), 16)
    letters = []
    for _ in range(_NAME):
        number, place = divmod(number, len(_LETTERS))
        letters.append(_LETTERS[place])
    return "".join(letters)


def _key(attacks: Sequence[Attack], seed: int, rows: dict[str, Any]) -> dict[str, Any]:
    described = [{"identity": one.identity, "records": one.digest} for one in attacks]
    return {"about": _ABOUT, "seed": seed, "attacks": described, "rows": rows}
