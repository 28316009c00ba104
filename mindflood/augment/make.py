"""From a config to a file of new training rows, each with its original's label."""

import dataclasses
import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mindflood.attack.resources.masked_lm_folder import masked_lm_folder
from mindflood.augment import apertium
from mindflood.config.settings import Config
from mindflood.data.sources import Examples
from mindflood.data.tasks import Task
from mindflood.errors import UserError
from mindflood.files import write_json, write_text
from mindflood.masked_lm.settings import described
from mindflood.terminal import tell
from mindflood.training.adversarial_rows import wanted_of
from mindflood.training.augmented_rows import check_free, summary_file
from mindflood.training.dataset import training_rows


def make(config: Config, out: Path) -> str:
    """Write the new rows of a config's training rows to ``out``; returns what came of it.

    Of a pair the second text is made anew, as in A2T's release. Beside ``out`` a file tells how the
    rows were made, and how many were refused.

    Raises:
        UserError: ``out`` exists, a resource is missing, or no row could be made.
    """
    check_free(out)
    assert config.augment is not None, "is asked for"
    task, examples = config.task.as_task, training_rows(config)
    started = time.monotonic()
    makers = {"ssmba": _ssmba, "back-translation": _back_translation}
    maker, told = makers[config.augment](config, task)
    tell(f"{config.augment}: making new rows of {len(examples)} training rows")
    rows = list(maker([texts[-1] for texts in examples.texts]))
    kept = _share(rows, config)
    counts = dataclasses.asdict(maker.counts)
    if not kept:
        raise UserError(f"{config.augment}: not one new text was made: {_said(counts)}")
    write_json(
        summary_file(out),
        {
            "augment": config.augment,
            "examples": examples.fingerprint(),
            "rows": len(examples),
            "made": len(rows),
            "kept": len(kept),
            "left_out": counts,
            "seconds": round(time.monotonic() - started, 1),
            "by": told,
        },
    )
    write_text(out, "".join(_line(task, examples, row, text) for row, text in kept))
    return (
        f"{out}: {len(kept)} new rows of {len(examples)} in {time.monotonic() - started:.0f} s; "
        f"{_said(counts)}{maker_share(maker)}"
    )


def maker_share(maker: Any) -> str:
    """The share of the translations that was refused, in words; nothing where none was made."""
    made = getattr(maker, "made", 0)
    refused = sum(dataclasses.asdict(maker.counts).values())
    return f" ({refused / made:.1%} of {made} refused)" if made else ""


def _ssmba(config: Config, task: Task) -> tuple[Any, str]:
    from mindflood.attack.resources.masked_lm import MaskedLM
    from mindflood.augment.ssmba import SSMBA

    chosen, key = config.augmentation.masked_lm, "augmentation.masked_lm"
    folder = masked_lm_folder(task, config.task.data, chosen, key)
    return SSMBA(MaskedLM.from_folder(folder, kept=1), config.augmentation), described(folder)


def _back_translation(config: Config, task: Task) -> tuple[Any, str]:
    settings = config.augmentation
    if settings.translator == "apertium":
        apertium.check_pivots(settings.pivots)
    from mindflood.attack.resources.encoder import SentenceVectors
    from mindflood.augment.back_translation import BackTranslation

    through = f"{settings.translator} through {', '.join(settings.pivots)}"
    return BackTranslation(SentenceVectors(), settings), through


def _share(rows: Sequence[tuple[int, str]], config: Config) -> list[tuple[int, str]]:
    """A random share of the new rows, ⌈share·n⌉ as in A2T's release, in their order."""
    count = wanted_of(config.augmentation.share, len(rows))
    order = np.random.default_rng([config.augmentation.seed, len(rows)]).permutation(len(rows))
    return [rows[at] for at in sorted(order[:count])]


def _line(task: Task, examples: Examples, row: int, text: str) -> str:
    texts = [*examples.texts[row][:-1], text]
    named = dict(zip(task.text_columns, texts, strict=True))
    label = examples.labels[row]
    said = float(label) if task.kind == "regression" else task.label_names[int(label)]
    return json.dumps({"row": row, **named, task.label_column: said}, ensure_ascii=False) + "\n"


def _said(counts: dict[str, int]) -> str:
    named = (f"{count} {why.replace('_', ' ')}" for why, count in counts.items())
    return f"left out: {', '.join(named)}"
