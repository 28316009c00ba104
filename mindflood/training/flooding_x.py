"""Flooding-X in two passes (Flooding-X §3): find the level without flooding, then flood at it."""

import dataclasses
from pathlib import Path

from mindflood.config.settings import Config
from mindflood.files import write_json
from mindflood.training import parallel
from mindflood.training.augmented_rows import copy_new_rows
from mindflood.training.dataset import rows_of
from mindflood.training.loop import Level, Trainer, Watch, start
from mindflood.training.probe_pass import choose_from, copy_trace, findings, probe_config
from mindflood.training.row_record import claim_rows
from mindflood.training.run_folder import at_work


def flooding_x(config: Config) -> Path:
    """A pass with the probe, then training with the level that it found.

    Returns:
        The RUN folder; ``search/probe-seedS`` in it is the first pass, whose ``accordance.jsonl``
        is copied to the RUN folder, and ``flood_level.json`` says where the level comes from.

    Raises:
        UserError: bad input; see :func:`mindflood.training.loop.train`.
    """
    worker = start(config)
    with at_work(config, writes=worker.writes) as complete:
        return config.run_folder if complete else _two_passes(config, worker)


def _two_passes(config: Config, worker: parallel.Worker) -> Path:
    run, probe = config.run_folder, probe_config(config)
    with at_work(probe, writes=worker.writes) as complete:
        if not complete:
            if config.augment is not None:
                rows_of(config)  # makes the new ones
                copy_new_rows(run, probe.run_folder)
            first_pass = Trainer(probe, worker, Level(None, None), Watch.PROBE)
            if worker.writes:
                claim_rows(run, first_pass.data.rows)  # the second trains on the same
            first_pass.run()
    # Only the worker that wrote the trace can be sure to read all of it; the others are told.
    if not worker.writes:
        level = Level(parallel.from_the_first(0.0, worker), None)
        return Trainer(config, worker, level).run()
    found = choose_from(probe)
    write_json(run / "flood_level.json", dataclasses.asdict(found))
    copy_trace(probe, run)
    level = Level(parallel.from_the_first(found.level, worker), found.source)
    return Trainer(config, worker, level, card={"accordance": findings(probe, found)}).run()
