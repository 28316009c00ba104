"""The pass with the probe, which the flood level or its range comes from (Flooding-X §3)."""

import dataclasses
from pathlib import Path
from typing import cast

from mindflood.cards.cards import read_card
from mindflood.cards.schema import ProbeFindings
from mindflood.config.settings import Config
from mindflood.data.sources import dev_is_test
from mindflood.errors import UserError
from mindflood.files import read_json_lines, write_text
from mindflood.flooding.level import FloodLevel, choose_flood_level
from mindflood.training.sub_epoch_ends import check_no_gap, sub_epoch_ends


def probe_config(config: Config) -> Config:
    """Training as in ``config`` but without flooding: the RUN folder's search/probe-seedS.

    That is fine-tuning, or a defence itself, so that the level is one of the loss that it floods.
    The pass sees all training rows, also those that a grid search sets aside to attack.
    """
    return dataclasses.replace(
        config.without_epochs,
        output=str(config.run_folder / "search"),
        name="probe",
        method=config.method if config.defends else "finetune",
        flood_level=None,
        flood_rows=None,
        accordance=dataclasses.replace(config.accordance, record=True),
    )


def choose_from(probe: Config) -> FloodLevel:
    """What the trace of a complete probe pass says.

    Raises:
        UserError: the card's part on accordance or a line of the trace is missing or damaged; the
            message names it.
    """
    path = _trace(probe)
    records = read_json_lines(path, finite=True)
    settings = probe.accordance
    card = read_card(probe.run_folder / "card.json")
    if "steps_per_epoch" not in card.get("accordance", {}):
        raise UserError(
            f"{probe.run_folder / 'card.json'}: accordance.steps_per_epoch is missing; delete "
            f"{probe.run_folder} and give the same command again"
        )
    steps = card["accordance"]["steps_per_epoch"]
    ends = sub_epoch_ends(steps, settings.sub_epochs, probe.training.epochs)
    check_no_gap(records, ends, str(path))
    task = probe.task.as_task
    return choose_flood_level(
        records,
        direction=settings.direction,
        persistence=settings.persistence,
        margin=settings.margin,
        use_eval_loss=task.attacked_split != "dev" and not dev_is_test(task, probe.task.data),
        name=str(path),
    )


def copy_trace(probe: Config, run: Path) -> None:
    """Put the pass's ``accordance.jsonl`` into the RUN folder that it was made for."""
    write_text(run / "accordance.jsonl", _trace(probe).read_text(encoding="utf-8"))


def findings(probe: Config, found: FloodLevel) -> ProbeFindings:
    """For the card: the level, its range, where they come from, and what the pass cost."""
    card = read_card(probe.run_folder / "card.json")
    whole = {**card.get("accordance", {}), **dataclasses.asdict(found)}
    return cast(ProbeFindings, {**whole, "first_pass_seconds": card["train_seconds"]})


def _trace(probe: Config) -> Path:
    return probe.run_folder / "accordance.jsonl"
