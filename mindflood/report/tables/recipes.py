"""The exact recipes behind a table's numbers: profile, fingerprint, and what was replaced."""

from collections.abc import Iterable, Sequence

from mindflood.cards.attack_key import CALIBRATED
from mindflood.report.numbers.aggregate import Attacked, ResultRow
from mindflood.report.numbers.names import ATTACKS, TASKS, position
from mindflood.report.tables.layout import Cell, Column

_NOTHING = "nothing replaced"


def recipe_lines(rows: Iterable[ResultRow]) -> tuple[str, ...]:
    """A line for each recipe that attacked one of the rows, and what they are good for."""
    tasks: dict[tuple[str, str, str, str], list[str]] = {}
    for row in rows:
        profile = row.profile.replace(CALIBRATED, "")
        for recipe, attacked in row.attacks.items():
            for fingerprint, replaced in attacked.recipes:
                found = tasks.setdefault((recipe, profile, fingerprint, replaced), [])
                if (task := TASKS.get(row.setting.task, row.setting.task)) not in found:
                    found.append(task)
    if not tasks:
        return ()
    lines = [
        f"{ATTACKS.get(recipe, recipe)}, {profile} profile, on {', '.join(found)}: fingerprint "
        f"{fingerprint}; {f'replaced: {replaced}' if replaced else _NOTHING}."
        for (recipe, profile, fingerprint, replaced), found in sorted(
            tasks.items(), key=lambda item: (position(item[0][0], ATTACKS), item[0])
        )
    ]
    return (*lines, "Numbers of attacks compare only where the recipes' fingerprints match.")


def detail_columns(recipes: Sequence[str]) -> tuple[Column, ...]:
    """Columns of the profile and, for each recipe, of its fingerprint and replaced parts."""
    names = [ATTACKS.get(recipe, recipe) for recipe in recipes]
    columns = [
        Column(what, group=name, numeric=False)
        for name in names
        for what in ("fingerprint", "replaced")
    ]
    return (Column("Profile", numeric=False), *columns)


def detail_cells(row: ResultRow, recipes: Sequence[str]) -> tuple[Cell, ...]:
    """A row's cells under :func:`detail_columns`."""
    cells: list[Cell] = [row.profile or None]
    for recipe in recipes:
        cells += _cells(row.attacks.get(recipe))
    return tuple(cells)


def _cells(attacked: Attacked | None) -> tuple[Cell, Cell]:
    if attacked is None:
        return None, None
    replaced = dict.fromkeys(parts or _NOTHING for _, parts in attacked.recipes)
    return ", ".join(name for name, _ in attacked.recipes), " | ".join(replaced)
