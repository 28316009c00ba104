"""AdaFlood: auxiliary models by cross-validation, then training flooded at every row's own level.

The auxiliary models are runs of their own in ``output/auxiliary``, below a hash of all that decides
them; γ does not, so that runs which differ in it share them.
"""

import dataclasses
import gc
import hashlib
import json
from pathlib import Path

import numpy as np

from mindflood.cards.cards import FOLDS, Card, read_card
from mindflood.cards.schema import AuxiliaryModels
from mindflood.config.settings import Config
from mindflood.errors import UserError
from mindflood.files import read_json, write_json
from mindflood.flooding.own_levels import folds_of, held_out_losses, levels_of
from mindflood.training import parallel
from mindflood.training.dataset import Rows, rows_of
from mindflood.training.loop import Level, Trainer, start
from mindflood.training.row_record import claim_rows
from mindflood.training.run_folder import at_work

_LOSSES = "held_out_losses.json"


def adaflood(config: Config) -> Path:
    """Train the auxiliary models, or what is left of them, then the model itself.

    Returns:
        The RUN folder.

    Raises:
        UserError: bad input, a class with fewer rows than there are folds, or another process works
            on the same auxiliary models; see :func:`mindflood.training.loop.train`.
    """
    worker = start(config)
    with at_work(config, writes=worker.writes) as complete:
        return config.run_folder if complete else _trained(config, worker)


def _trained(config: Config, worker: parallel.Worker) -> Path:
    rows, settings = rows_of(config), config.adaflood
    folds = _folds(config, rows)
    if worker.writes:
        claim_rows(config.run_folder, rows)  # of the auxiliary models too, which divide them
    folder = auxiliary_folder(config, rows)
    if worker.writes:
        write_json(folder / FOLDS, {"folds": settings.folds, "fold_of_row": folds.tolist()})
    configs = [auxiliary_config(config, folder, fold) for fold in range(settings.folds)]

    def fit(fold: int, seen: np.ndarray, held_out: np.ndarray) -> np.ndarray:
        return _losses(configs[fold], worker, _divided(rows, seen, held_out))

    losses = held_out_losses(folds, fit)
    levels = levels_of(losses, settings.gamma)
    card = {}
    if worker.writes:
        cards = [read_card(auxiliary.run_folder / "card.json") for auxiliary in configs]
        card = {"adaflood": _summary(config, cards, losses, levels)}
    level = Level(None, None)
    own = levels.astype(np.float32)
    return Trainer(config, worker, level, card=card, row_levels=own).run()


def _folds(config: Config, rows: Rows) -> np.ndarray:
    """The fold of every row; what was made of a row is held out with it."""
    made_of = np.arange(len(rows.train)) if rows.made_of is None else rows.made_of
    originals = made_of == np.arange(len(made_of))
    labels, names = rows.train.labels[originals], rows.task.label_names
    try:
        return folds_of(labels, config.adaflood.folds, config.seed, names)[made_of]
    except UserError as error:
        raise UserError(f"adaflood.{error}") from None


def auxiliary_config(config: Config, folder: Path, fold: int) -> Config:
    """Training as in ``config`` but without flooding, of one fold; a defence defends it too."""
    return dataclasses.replace(
        config.without_epochs,
        output=str(folder),
        name=f"fold{fold + 1}",
        method=config.method if config.defends else "finetune",
        flood_rows=None,
        encoder_layers=config.adaflood.encoder_layers or config.encoder_layers,
        accordance=dataclasses.replace(config.accordance, record=False),
    )


def auxiliary_folder(config: Config, rows: Rows) -> Path:
    """Where the auxiliary models of a config are, and of all configs that need the same."""
    shared = Path(config.output) / "auxiliary"
    deciding = auxiliary_config(config, shared, 0).kept() | {"name": None}
    deciding |= {"folds": config.adaflood.folds, "rows": rows.hashes["train"]}
    text = json.dumps(deciding, sort_keys=True, default=str)
    return shared / hashlib.sha256(text.encode()).hexdigest()[:16]


def _divided(rows: Rows, seen: np.ndarray, held_out: np.ndarray) -> Rows:
    """The rows of an auxiliary model: what it trains on, and is evaluated and tested on."""
    out = rows.train.take(held_out)
    origins = dict.fromkeys(rows.splits, rows.origins["train"])
    return Rows(
        rows.task, rows.train.take(seen), out, out,
        dict.fromkeys(rows.splits, rows.splits["train"]), origins, rows.division,
    )  # fmt: skip


def _losses(config: Config, worker: parallel.Worker, rows: Rows) -> np.ndarray:
    """The losses of the rows that an auxiliary model has not seen, from its RUN folder."""
    path = config.run_folder / _LOSSES
    with at_work(config, writes=worker.writes):
        if not path.exists():
            trainer = Trainer(config, worker, Level(None, None), rows=rows)
            trainer.run()  # of a run that is trained to its end, this takes its weights up again
            if worker.writes:
                write_json(path, trainer.clean_losses().tolist())
            del trainer
            gc.collect()  # its graphs, before those of the next
    parallel.from_the_first(0.0, worker)  # the file is there for all
    losses = read_json(path)
    if not isinstance(losses, list) or not all(isinstance(loss, int | float) for loss in losses):
        raise UserError(f"{path}: expected a list of losses; delete the file and train again")
    return np.array(losses, np.float64)


def _summary(
    config: Config, cards: list[Card], losses: np.ndarray, levels: np.ndarray
) -> AuxiliaryModels:
    sizes = [card["data"]["test"] or 0 for card in cards]
    right = [
        (card["clean_accuracy"] or 0.0) * size for card, size in zip(cards, sizes, strict=True)
    ]
    return {
        "folds": config.adaflood.folds,
        "gamma": config.adaflood.gamma,
        "encoder": cards[0]["encoder"],
        "seconds": sum(card["train_seconds"] or 0.0 for card in cards),
        "loss": float(losses.mean()),
        "accuracy": sum(right) / sum(sizes),
        "levels": [float(value) for value in np.quantile(levels, [0, 0.25, 0.5, 0.75, 1])],
    }
