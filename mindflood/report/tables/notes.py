"""What a reader has to know before comparing two numbers: the notes under the tables."""

from collections.abc import Iterator, Sequence

from mindflood.cards.attack_key import AttackKey
from mindflood.cards.cards import Card, tested_on
from mindflood.report.numbers.aggregate import Attacked, ResultRow, by_setting, is_uncrossed
from mindflood.report.numbers.names import (
    ATTACKS,
    METHODS,
    STRANGER,
    TASKS,
    encoder_name,
    is_bert_base,
)

FALLBACK = (
    "gradient accordance crossed zero nowhere in the run, so that the level is the training loss "
    "where the evaluation loss turned or, where it did not turn or is of the rows that are "
    "attacked, at the end of the run."
)


def warning_notes(cards: Sequence[Card]) -> list[str]:
    """What the cards themselves warn of: of the run, and of its attacks."""
    found = [
        f"Warning, {_run(card)}{where}: {warning}."
        for card in cards
        for where, warnings in _warned(card)
        for warning in warnings
    ]
    return list(dict.fromkeys(found))


def _run(card: Card) -> str:
    seed = "" if card["seed"] is None else f", seed {card['seed']}"
    return f"{METHODS.get(card['method'], card['method'])} on {_task(card['task'])}{seed}"


def _warned(card: Card) -> Iterator[tuple[str, Sequence[str]]]:
    """Each part of a card that may warn, in words, with its warnings."""
    yield "", card.get("warnings", ())
    analyses = card.get("analyses", {})
    if noise := analyses.get("noise"):
        yield ", analysis of noise", noise.get("warnings", ())
    if other_data := analyses.get("generalisation"):
        yield ", analysis of generalisation", other_data.get("warnings", ())
    for reference, found in analyses.get("ball", {}).items():
        yield f", analysis of the ball of {reference}", found.get("warnings", ())
    attacked = [("", card["attacks"])]
    attacked += [(f", epoch {one['epoch']}", one["attacks"]) for one in card.get("epochs", ())]
    for epoch, attacks in attacked:
        for key, summary in attacks.items():
            one = AttackKey.parse(key)
            attack = f"{epoch}, {ATTACKS.get(one.recipe, one.recipe)} ({one.variant})"
            yield attack, summary.get("warnings", ())


def attack_notes(rows: Sequence[ResultRow]) -> list[str]:
    """Rows attacked by different recipes, which do not compare, and counts that do not add up."""
    notes = []
    for task, recipe, profile in _attacks(rows):
        attacked_rows = [
            (_model(row), row.attacks[recipe])
            for row in rows
            if (row.setting.task, row.profile) == (task, profile) and recipe in row.attacks
        ]
        block = [attacked for _, attacked in attacked_rows]
        where = f"{ATTACKS.get(recipe, recipe)} ({profile}) on {_task(task)}"
        fingerprints = sorted({name for attacked in block for name in attacked.fingerprints})
        if len(fingerprints) > 1:
            notes.append(
                f"{where}: the recipes differ (fingerprints {', '.join(fingerprints)}); "
                "numbers compare only where fingerprints match, so no best is marked."
            )
        if len({attacked.samples for attacked in block}) > 1:
            notes.append(
                f"{where}: the rows were attacked on different samples of texts (size or seed); "
                "part of their difference is the sample's."
            )
        notes += _left_open(where, attacked_rows)
        partly = [
            f"{row.attacks[recipe].seeds} of {len(row.seeds)} seeds of {_model(row)}"
            for row in rows
            if (row.setting.task, row.profile) == (task, profile)
            and recipe in row.attacks
            and row.attacks[recipe].seeds < len(row.seeds)
        ]
        if partly:
            notes.append(
                f"{where}: {' and '.join(partly)} were attacked; Clean% is of all of them."
            )
        for attacked in block:
            done = attacked.counts["num_examples"]
            if done < attacked.requested:
                notes.append(
                    f"{where}: an attack is unfinished ({done} of {attacked.requested} texts); "
                    "its command, given again, continues it."
                )
            parts = sum(attacked.counts.values()) - done
            if parts != done:
                notes.append(
                    f"{where}: the counts of a card do not add up ({parts} outcomes of "
                    f"{done} samples); attack that model again."
                )
    return notes


def _left_open(where: str, block: Sequence[tuple[str, Attacked]]) -> Iterator[str]:
    """What is to be said of texts that no rate counts, of all models together."""
    undecided, untouched = [], []
    for name, attacked in block:
        counts = attacked.counts
        done, raised, unended = counts["num_examples"], counts["errors"], counts["out_of_budget"]
        if any(rate is not None and rate.is_open for rate in (attacked.robust, attacked.broken)):
            undecided.append(
                f"{raised + unended} of {done} texts of {name} ({unended} ran out of their budget, "
                f"{raised} raised an error)"
            )
        if counts["untouched"]:
            untouched.append(f"{counts['untouched']} of {done} texts of {name}")
    if undecided:
        yield (
            f"{where}: undecided are {'; '.join(undecided)}. A rate that they could move by more "
            "than a point is given as the range from all of them broken to none, and no best is "
            "marked beside it."
        )
    if untouched:
        yield (
            f"{where}: untouched, for the attack had no candidate to try on them, are "
            f"{'; '.join(untouched)}. They are in neither Aua% nor Suc% nor #Query."
        )


def _model(row: ResultRow) -> str:
    """A row's method, or the name of a model from elsewhere."""
    setting = row.setting
    if setting.method == STRANGER:
        return encoder_name(setting.encoder)
    return METHODS.get(setting.method, setting.method)


def _task(task: str) -> str:
    return TASKS.get(task, task)


def _attacks(rows: Sequence[ResultRow]) -> list[tuple[str, str, str]]:
    found = ((row.setting.task, name, row.profile) for row in rows for name in row.attacks)
    return list(dict.fromkeys(found))


def search_notes(cards: Sequence[Card]) -> list[str]:
    """Levels that were chosen on the very examples that the table reports."""
    if not any(card.get("search", {}).get("choose_on") == "test" for card in cards):
        return []
    return [
        "A flood level of the grid search was chosen on the test set, as the paper does: its "
        "row is the best of many looks at the test set, not an estimate for new texts."
    ]


def data_notes(cards: Sequence[Card]) -> list[str]:
    """Models of one task that were tested on different rows: their numbers do not compare."""
    tested: dict[str, dict[str, set[str]]] = {}
    for card in cards:
        rows = tested_on(card)
        if rows is not None:
            methods = tested.setdefault(card["task"], {}).setdefault(rows, set())
            methods.add(METHODS.get(card["method"], card["method"]))
    notes = []
    for task, found in tested.items():
        if len(found) > 1:
            which = "; ".join(f"{', '.join(sorted(found[rows]))}: {rows}" for rows in sorted(found))
            notes.append(
                f"{TASKS.get(task, task)}: the models were tested on {len(found)} different test "
                f"sets ({which}); numbers compare only within one, so no best is marked."
            )
    return notes


def crossing_notes(cards: Sequence[Card]) -> list[str]:
    """Runs that were to be flooded from their crossing on, and had none."""
    if not any(map(is_uncrossed, cards)):
        return []
    return [
        f"{METHODS['flooding-x-online']}: a run that never crossed was never flooded; its numbers "
        "are those of training without flooding."
    ]


def seed_notes(cards: Sequence[Card]) -> list[str]:
    """What the intervals are of, and seeds that occur twice in a setting."""
    notes = []
    settings = by_setting(cards)
    if any(len(members) > 1 for members in settings.values()):
        notes.append(
            "± is the half width of a 95 % t interval over the seeds. In a row of several, the "
            "brackets behind Aua% hold that interval and the one for the choice of as many texts "
            "as a seed attacks (Wilson, at the mean rate): all seeds attack the same texts."
        )
    if any(len(members) == 1 for members in settings.values()):
        notes.append(
            "In a row of one seed, the brackets behind Aua% are its 95 % interval for the choice "
            "of the attacked texts (Wilson); another seed of training may rank the methods anew."
        )
    for setting, members in settings.items():
        seeds = [card["seed"] for card in members]
        twice = sorted({str(seed) for seed in seeds if seeds.count(seed) > 1})
        if twice:
            notes.append(
                f"{METHODS.get(setting.method, setting.method)} on "
                f"{TASKS.get(setting.task, setting.task)}: seed {', '.join(twice)} occurs in more "
                "than one run; each counts as a seed of its own. Report the runs' folders apart "
                "where their configs differ."
            )
    return notes


def condition_notes(rows: Sequence[ResultRow]) -> list[str]:
    """Where our conditions are not the paper's."""
    notes = []
    if any(row.profile.startswith("offline") for row in rows):
        notes.append(
            "The offline profile is not the paper's: its attack draws on other resources, so its "
            "numbers compare with each other and not with the published ones."
        )
    stand_ins = {
        encoder_name(row.setting.encoder)
        for row in rows
        if row.setting.method != STRANGER and not is_bert_base(row.setting.encoder)
    }
    if stand_ins:
        notes.append(
            f"A stand-in encoder is not BERT-base: here it is {', '.join(sorted(stand_ins))}, "
            "and the published numbers are of another network."
        )
    return notes


def label_notes(rows: Sequence[ResultRow]) -> list[str]:
    """What the words beside a flood level and in a profile mean, those that occur."""
    meanings = {
        "accordance": "b (accordance): the training loss where gradient accordance crossed zero.",
        "fallback": f"b (fallback): {FALLBACK}",
        "search": "b (search): the best level of a grid search.",
    }
    notes = [said for word, said in meanings.items() if any(word in row.level for row in rows)]
    if any("-calibrated" in row.profile for row in rows):
        notes.append(
            "Calibrated profile: the model's logits are divided by a temperature, so that extreme "
            "confidence hides nothing from the attack's search."
        )
    return notes
