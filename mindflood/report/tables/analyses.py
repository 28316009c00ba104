"""The tables of the analyses: the ball around a sample, and other data than the training's."""

from collections.abc import Iterator, Sequence

from mindflood.cards.cards import Card
from mindflood.cards.schema import BallAnalysis, MeasuredAccuracy
from mindflood.report.numbers.names import METHODS, TASKS, encoder_name
from mindflood.report.tables import altinisik
from mindflood.report.tables.cells import method_name, task_name
from mindflood.report.tables.layout import Cell, Column, Number, Table, TableRow

_MODEL = (
    Column("Dataset", numeric=False),
    Column("Model", numeric=False),
    Column("Method", numeric=False),
    Column("Seed"),
)


def ball_table(cards: Sequence[Card]) -> Table:
    """FreeLB's Table 5: a row for every model and reference."""
    columns = (
        *_MODEL,
        Column("Reference", numeric=False),
        Column("Max. increment"),
        Column("Quartiles"),
        Column("Natural loss"),
        Column("Radius"),
        Column("Radius 0"),
        Column("Largest radius"),
        Column("n"),
        Column("Texts", numeric=False),
        Column("Search", numeric=False),
    )
    rows = [
        TableRow(
            (
                *_model(card),
                reference,
                Number(found["max_increment"], digits=3),
                " to ".join(f"{quartile:.3f}" for quartile in found["quartiles"]),
                Number(found["natural_loss"], digits=4),
                Number(found["radius"], digits=3),
                str(found["without_radius"]),
                str(found["of_largest_radius"]),
                str(found["num_examples"]),
                found.get("texts"),
                f"{found['steps']} steps, {found['restarts']} starts",
            )
        )
        for card, ball in _with_balls(cards)
        for reference, found in sorted(ball.items())
    ]
    notes = (
        "Medians over the samples that all compared models get right. The ball's radius is each "
        "sample's own: the largest that was tried at which the reference stays right, in the L2 "
        "norm over all word embeddings of the text. Below the smallest that was "
        "tried radius and increment are 0. The paper searches with 2,000 steps.",
        *_other_texts(cards),
    )
    caption = "Largest rise of the loss in the ball around a sample (nats)"
    return Table("ball", caption, columns, tuple(rows), notes)


def _other_texts(cards: Sequence[Card]) -> Iterator[str]:
    """References whose rows do not compare, for they are, or may be, over different texts."""
    seen: dict[tuple[str, str, str], list[str | None]] = {}
    for card, ball in _with_balls(cards):
        for reference, found in sorted(ball.items()):
            rows = seen.setdefault((card["task"], card["encoder"], reference), [])
            rows.append(found.get("texts"))
    for (task, _, reference), texts in seen.items():
        differing = sorted({digest or "not told by an older card" for digest in texts})
        if len(texts) > 1 and (None in texts or len(differing) > 1):
            yield (
                f"Reference {reference} on {TASKS.get(task, task)}: its rows are, or may be, over "
                f"different texts ({', '.join(differing)}) and do not compare; give all models to "
                "one 'mindflood analyse ball'."
            )


def generalisation_table(cards: Sequence[Card]) -> Table:
    """Altinisik et al.'s Table 4: a row for every model, a column for every data set."""
    analysed = [
        (card, found)
        for card in cards
        if (found := card.get("analyses", {}).get("generalisation")) is not None
    ]
    others = sorted({other["task"] for _, found in analysed for other in found["out"]})
    printed = altinisik.compared_tasks([card for card, _ in analysed])
    others = sorted({*others, *(["yelp"] if printed else [])})
    columns = (
        *_MODEL,
        Column("In distribution"),
        *(Column(TASKS.get(task, task), "Out of distribution") for task in others),
        Column("n", numeric=False),
    )
    rows = []
    for card, found in analysed:
        out = {other["task"]: other for other in found["out"]}
        cells: tuple[Cell, ...] = (
            *_model(card),
            _percent(found["in"]),
            *(_percent(out.get(task)) for task in others),
            ", ".join(str(measured["num_examples"]) for measured in [found["in"], *found["out"]]),
        )
        rows.append(TableRow(cells))
    for task in printed:
        for method, (inside, outside) in altinisik.published_generalisation(task).items():
            far: list[Cell] = [Number(outside) if other == "yelp" else None for other in others]
            names = (task_name(task), altinisik.LABEL, method_name(method), None)
            rows.append(TableRow((*names, Number(inside), *far, None), published=True))
    caption = "Accuracy (%) in and out of the distribution of the training data"
    return Table("generalisation", caption, columns, tuple(rows))


def _with_balls(cards: Sequence[Card]) -> list[tuple[Card, dict[str, BallAnalysis]]]:
    return [(card, found) for card in cards if (found := card.get("analyses", {}).get("ball"))]


def _model(card: Card) -> Iterator[Cell]:
    level = "" if card["flood_level"] is None else f", b = {card['flood_level']:.3g}"
    yield TASKS.get(card["task"], card["task"])
    yield encoder_name(card["encoder"])
    yield METHODS.get(card["method"], card["method"]) + level
    yield None if card["seed"] is None else str(card["seed"])


def _percent(measured: MeasuredAccuracy | None) -> Number | None:
    return None if measured is None else Number(100 * measured["accuracy"])
