"""What training left: loss and calibration on the test rows, and the training rows' losses."""

from collections.abc import Callable, Sequence

from mindflood.cards.cards import Card
from mindflood.report.numbers.aggregate import Setting, by_setting, estimate
from mindflood.report.numbers.names import METHODS, TASKS, encoder_name
from mindflood.report.numbers.units import loss_units
from mindflood.report.tables.layout import Cell, Column, Number, Table, TableRow

_COLUMNS: dict[str, tuple[Callable[[Card], float | None], float, int]] = {
    "b": (lambda card: card["flood_level"], 1, 3),
    "Clean%": (lambda card: card["clean_accuracy"], 100, 1),
    "Test loss": (lambda card: card.get("clean_loss"), 1, 3),
    "ECE%": (lambda card: card.get("clean_calibration_error"), 100, 1),
    "Training loss": (lambda card: card.get("training_losses", {}).get("mean"), 1, 3),
    "Right labels": (lambda card: card.get("training_losses", {}).get("right_labels"), 1, 3),
    "Wrong labels": (lambda card: card.get("training_losses", {}).get("wrong_labels"), 1, 3),
    "Below b%": (lambda card: card.get("training_losses", {}).get("below_level"), 100, 1),
    "Auxiliary (s)": (lambda card: card.get("adaflood", {}).get("seconds"), 1, 0),
}


def held_out_table(cards: Sequence[Card]) -> Table:
    """A row for every setting with a measured test loss."""
    measured = [card for card in cards if "clean_loss" in card]
    rows = [
        TableRow(
            (
                TASKS.get(setting.task, setting.task),
                encoder_name(setting.encoder),
                _method(setting),
                *(_mean(members, *column) for column in _COLUMNS.values()),
                str(len(members)),
            )
        )
        for setting, members in by_setting(measured).items()
    ]
    columns = (
        *(Column(name, numeric=False) for name in ("Dataset", "Model", "Method")),
        *(Column(name) for name in _COLUMNS),
        Column("Seeds"),
    )
    notes = (
        f"Losses ({loss_units(measured)}) at the end of training and without dropout; ECE is the "
        "expected calibration error on the test rows. The training losses are those of single "
        "rows (at most 4,000): Below b% is the share of them below their flood level; right and "
        "wrong labels are told apart where it is known which are wrong.",
    )
    caption = "Loss and calibration at the end of training"
    return Table("held-out", caption, columns, tuple(rows), notes).without_empty_columns()


def _method(setting: Setting) -> str:
    variant = f", {setting.variant}" if setting.variant else ""
    return METHODS.get(setting.method, setting.method) + variant


def _mean(
    cards: Sequence[Card], value: Callable[[Card], float | None], factor: float, digits: int
) -> Cell:
    """Mean over the seeds, with the half width of its 95 % interval where there are several."""
    found = estimate([value(card) for card in cards])
    if found is None:
        return None
    half = None if found.half is None else factor * found.half
    return Number(factor * found.mean, half, digits)
