"""What flooding does to single rows: how many climb, and their losses at the end."""

from collections.abc import Callable, Container, Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from mindflood.cards.cards import Card, Run
from mindflood.errors import UserError
from mindflood.files import read_json_lines
from mindflood.report.figures.conditions import setting_label
from mindflood.report.figures.svg import legend_above, look, to_svg
from mindflood.report.figures.training import read_series, smoothed, thinned
from mindflood.report.numbers.aggregate import by_setting
from mindflood.report.numbers.names import TASKS, encoder_name
from mindflood.report.numbers.units import loss_unit

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_LEAST, _MOST, _BINS = 1e-4, 10.0, 30  # what lies outside is in the first or last bin
_Curve = tuple[Sequence[float], Sequence[float]]
_Losses = tuple[np.ndarray, np.ndarray | None]  # and which labels are wrong, where that is known


def climbing_curves(runs: Sequence[Run], name: str) -> Iterator[tuple[str, str]]:
    """Title and SVG of each task and encoder with a flooded run: the share of rows that climb.

    Where the batch is flooded by its mean, all of its rows climb or none does.

    Raises:
        UserError: a line of a trace lacks a key or holds something else than a number.
    """
    flooded = [run for run in runs if run.card["flood_level"] is not None or "adaflood" in run.card]
    found = {id(run.card): curve for run in flooded if (curve := _climbing(run)) is not None}
    for number, (title, cards) in enumerate(_by_task(runs, found)):
        yield title, to_svg(_share_drawing(cards, found), f"{name}-{number}", height=3.6)


def row_losses(runs: Sequence[Run], name: str) -> Iterator[tuple[str, str]]:
    """Title and SVG of each task and encoder: the training rows' losses at the end, a line each.

    Rows whose labels are known to be wrong have a panel of their own.

    Raises:
        UserError: a line of a run's ``row_losses.jsonl`` has no loss.
    """
    found = {id(run.card): losses for run in runs if (losses := _losses(run)) is not None}
    for number, (title, cards) in enumerate(_by_task(runs, found)):
        noisy = any(found[id(card)][1] is not None for card in cards)
        drawing = _histogram_drawing(cards, found, noisy)
        yield title, to_svg(drawing, f"{name}-{number}", height=6.0 if noisy else 3.6)


def _by_task(runs: Sequence[Run], known: Container[int]) -> Iterator[tuple[str, list[Card]]]:
    alike: dict[tuple[str, str], list[Card]] = {}
    for run in runs:
        if id(run.card) in known:
            alike.setdefault((run.card["task"], run.card["encoder"]), []).append(run.card)
    for (task, encoder), cards in alike.items():
        yield f"{TASKS.get(task, task)}, {encoder_name(encoder)}", cards


def _climbing(run: Run) -> _Curve | None:
    path = run.folder / "trace.jsonl"
    records = read_json_lines(path)
    if not records:
        return None
    by_rows = isinstance(records[0], dict) and "climbing" in records[0]
    series = read_series(path, ("epoch", key := "climbing" if by_rows else "flooding"))
    return series["epoch"], series[key]


def _losses(run: Run) -> _Losses | None:
    path = run.folder / "row_losses.jsonl"
    losses = np.array(read_series(path, ("loss",))["loss"])
    if not len(losses):
        return None
    wrong = [record.get("wrong_label") for record in read_json_lines(path)]
    known = all(isinstance(value, bool) for value in wrong)
    if not known and any(value is not None for value in wrong):
        raise UserError(f"{path}: expected true or false under 'wrong_label' in every line")
    return losses, np.array(wrong, bool) if known else None


def _share_drawing(cards: Sequence[Card], curves: dict[int, _Curve]) -> Callable[["Figure"], None]:
    def draw(figure: "Figure") -> None:
        axes = figure.subplots()
        for place, (setting, members) in enumerate(by_setting(cards).items()):
            for seed, card in enumerate(members):
                epochs, shares = curves[id(card)]
                at, mean = thinned(epochs, [100 * share for share in smoothed(shares)])
                axes.plot(
                    at, mean, **look(place), linewidth=1.2, alpha=0.85,
                    label=setting_label(setting) if seed == 0 else None,
                )  # fmt: skip
        axes.set_xlabel("epoch")
        axes.set_ylabel("rows below their level (%)")
        axes.set_ylim(0, 100)
        legend_above(axes)

    return draw


def _histogram_drawing(
    cards: Sequence[Card], losses: dict[int, _Losses], noisy: bool
) -> Callable[["Figure"], None]:
    edges = np.geomspace(_LEAST, _MOST, _BINS + 1)

    def shares(members: Sequence[Card], wrong: bool) -> np.ndarray:
        """Percent of the rows of all seeds that lie in each bin."""
        chosen = []
        for card in members:
            of_rows, wrongly = losses[id(card)]
            mask = np.zeros(len(of_rows), bool) if wrongly is None else wrongly
            chosen.append(of_rows[mask == wrong])
        rows = np.clip(np.concatenate(chosen), _LEAST, _MOST)
        counts, _ = np.histogram(rows, edges)
        percent: np.ndarray = 100 * counts / max(len(rows), 1)
        return percent

    def draw(figure: "Figure") -> None:
        panels = figure.subplots(2 if noisy else 1, 1, sharex=True, squeeze=False)[:, 0]
        for axes, wrong in zip(panels, (False, True), strict=False):
            for place, (setting, members) in enumerate(by_setting(cards).items()):
                axes.stairs(
                    shares(members, wrong), edges, **look(place),
                    linewidth=1.4, alpha=0.85, label=setting_label(setting),
                )  # fmt: skip
            labels = f", {'wrong' if wrong else 'right'} labels" if noisy else ""
            axes.set_ylabel(f"rows (%){labels}")
            axes.set_xscale("log")
            axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
            axes.set_ylim(bottom=0)
        panels[-1].set_xlabel(f"training loss at the end ({loss_unit(cards[0])})")
        legend_above(panels[0])

    return draw
