"""Accuracy under attack against the flood level, from a sweep (Flooding-X Figure 2)."""

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from mindflood.cards.cards import Card, probe_findings
from mindflood.report.figures.conditions import (
    Condition,
    by_condition,
    draw_robust,
    matching,
    method_name,
)
from mindflood.report.figures.svg import BLUE, GREY, ORANGE, VERMILION, legend_above, to_svg
from mindflood.report.numbers.aggregate import (
    Attacked,
    attacked,
    by_training,
    robust_interval,
    setting_of,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_YELLOW = "#F0E442"
# Methods that the probe gives a level, and how they are marked.
_FLOODING_X = {"flooding-x": "D", "flooding-x-online": "s"}
_DRAWN = ("finetune", "flooding", "flooding-search", *_FLOODING_X)


def sweeps(cards: Sequence[Card], name: str) -> Iterator[tuple[str, str]]:
    """Title and SVG of each condition under which two fixed flood levels or more were attacked.

    Models that were trained otherwise (on more texts, for longer) have a figure of their own. Seeds
    of a level are averaged. Fine-tuning is a horizontal line; where a Flooding-X run is there, its
    range is yellow and its level marked, with the accuracy under attack at that level.
    """
    comparable = [
        (condition, variant, alike)
        for condition, members in by_condition(cards, lambda card: [card["attacks"]]).items()
        for variant, alike in by_training([c for c in members if c["method"] in _DRAWN]).items()
    ]
    for number, (condition, variant, members) in enumerate(comparable):
        levels = _levels(members, condition)
        if len(levels) > 1:
            svg = to_svg(_drawing(members, condition, levels), f"{name}-{number}", height=3.8)
            yield ", ".join(filter(None, (condition.titled(cards), variant))), svg


def _levels(cards: Sequence[Card], condition: Condition) -> dict[float, Attacked]:
    """The attacks on the models of each fixed level, levels ascending."""
    found: dict[float, list[Card]] = {}
    for card in cards:
        level = setting_of(card).level
        if card["method"] == "flooding" and level is not None:
            found.setdefault(level, []).append(card)
    measured = {level: _measured(found[level], condition) for level in sorted(found)}
    return {level: attack for level, attack in measured.items() if attack is not None}


def _measured(cards: Sequence[Card], condition: Condition) -> Attacked | None:
    summaries = [found for card in cards if (found := matching(card["attacks"], condition))]
    return attacked(summaries) if summaries else None


def _drawing(
    cards: Sequence[Card], condition: Condition, levels: dict[float, Attacked]
) -> Callable[["Figure"], None]:
    def draw(figure: "Figure") -> None:
        axes = figure.subplots()
        probed = [card for card in cards if card["method"] in _FLOODING_X]
        _mark_ranges(axes, [card for card in cards if card in probed or "search" in card])
        finetuned = [card for card in cards if card["method"] == "finetune"]
        _draw_finetuning(axes, _measured(finetuned, condition))
        draw_robust(
            axes, list(levels), list(levels.values()),
            color=BLUE, marker="o", markersize=4, label="Flooding at b",
        )  # fmt: skip
        _draw_flooding_x(axes, probed, condition)
        axes.set_xlabel("flood level b (nats)")
        axes.set_ylabel("accuracy under attack (%)")
        axes.set_ylim(bottom=0)
        axes.set_xlim(left=0)
        legend_above(axes)

    return draw


def _mark_ranges(axes: "Axes", cards: Sequence[Card]) -> None:
    """The range that each probe found, and the level chosen from it where no search did."""
    labelled: set[str] = set()
    probed = [(card, probe_findings(card)) for card in cards]
    chosen = {found.get("level") for card, found in probed if "search" not in card} - {None}
    for card, found in probed:
        if "level" not in found:
            continue
        is_fallback = found["source"] == "fallback"
        of = "the fallback" if is_fallback else "gradient accordance"
        fallback = ", fallback" if is_fallback else ""
        axes.axvspan(
            found["lower"], found["upper"], color=_YELLOW, alpha=0.4, linewidth=0,
            label=_once(f"range of {of}", labelled),
        )  # fmt: skip
        if "search" in card:
            continue
        of_one = f"chosen level b = {found['level']:.3g}{fallback}"
        label = _once(of_one if len(chosen) == 1 else "chosen levels b", labelled)
        axes.axvline(found["level"], color=ORANGE, linestyle="--", linewidth=1, label=label)


def _once(label: str, labelled: set[str]) -> str:
    """The label, hidden (``_``) where the legend has it already."""
    hidden = "_" if label in labelled else ""
    labelled.add(label)
    return hidden + label


def _draw_finetuning(axes: "Axes", measured: Attacked | None) -> None:
    if measured is None:
        return
    label = method_name("finetune")
    if measured.robust is not None and measured.robust.is_open:
        low, high = (100 * end for end in measured.robust.bounds)
        axes.axhspan(low, high, fill=False, edgecolor=GREY, linestyle=":", label=f"{label}, range")
        return
    if measured.accuracy is None:
        return
    height = 100 * measured.accuracy.mean
    axes.axhline(height, color=GREY, linestyle="--", label=label)
    low, high = robust_interval(measured) or (measured.accuracy.mean,) * 2
    axes.axhspan(100 * low, 100 * high, color=GREY, alpha=0.15, linewidth=0)


def _draw_flooding_x(axes: "Axes", cards: Sequence[Card], condition: Condition) -> None:
    labelled: set[str] = set()
    for card in cards:
        measured, level = _measured([card], condition), card["flood_level"]
        if measured is None or level is None:
            continue
        method = card["method"]
        draw_robust(
            axes, [level], [measured],
            color=VERMILION, marker=_FLOODING_X[method], markersize=5, linestyle="",
            label=_once(method_name(method), labelled),
        )  # fmt: skip
