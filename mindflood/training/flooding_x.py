"""Flooding-X in two passes (Flooding-X §3): find the level by fine-tuning, then flood at it."""

import dataclasses
from pathlib import Path

from mindflood.config import Config
from mindflood.files import read_json_lines, write_json, write_text
from mindflood.flooding.level import FloodLevel, choose_flood_level
from mindflood.report.cards import read_card, write_card
from mindflood.training.loop import Level, Trainer, Watch, start
from mindflood.training.run_folder import claim, is_complete


def flooding_x(config: Config) -> Path:
    """A fine-tuning pass with the probe, then training with the level that it found.

    Returns:
        The RUN folder; ``search/probe-seedS`` in it is the first pass, whose ``accordance.jsonl``
        is copied to the RUN folder, and ``flood_level.json`` says where the level comes from.

    Raises:
        UserError: bad input; see :func:`mindflood.training.loop.train`.
    """
    run = config.run_folder
    worker = start(config)
    complete = claim(run, config) if worker.writes else is_complete(config)
    if complete:
        return run
    probe = dataclasses.replace(
        config, output=str(run / "search"), name="probe", method="finetune", flood_level=None
    )
    if worker.writes:
        claim(probe.run_folder, probe)
    if not is_complete(probe):
        Trainer(probe, worker, Level(None, None), Watch.PROBE).run()
    trace = probe.run_folder / "accordance.jsonl"
    settings = config.accordance
    found: FloodLevel = choose_flood_level(
        read_json_lines(trace),
        direction=settings.direction,
        persistence=settings.persistence,
        margin=settings.margin,
        name=str(trace),
    )
    if worker.writes:
        write_json(run / "flood_level.json", dataclasses.asdict(found))
        write_text(run / "accordance.jsonl", trace.read_text(encoding="utf-8"))
    Trainer(config, worker, Level(found.level, found.source)).run()
    if worker.writes:
        card, first = read_card(run / "card.json"), read_card(probe.run_folder / "card.json")
        write_card(
            run / "card.json",
            {
                **card,
                "accordance": {
                    **first.get("accordance", {}),
                    **dataclasses.asdict(found),
                    "first_pass_seconds": first["train_seconds"],
                },
            },
        )
    return run
