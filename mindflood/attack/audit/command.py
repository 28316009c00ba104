"""``mindflood audit``: a sheet of an attack's successes to be read, and what was found."""

import argparse
from pathlib import Path
from typing import Any

from mindflood.cards.schema import AuditSummary
from mindflood.errors import UserError
from mindflood.files import expanded
from mindflood.terminal import say, tell

EPILOG = """examples:
  mindflood audit runs/sst2/*/attacks/textfooler.jsonl --sheet audits/sst2.csv --num 34
  (fill in the columns meaning and english: does the class still hold of the perturbed text as it
  did of the original? same, changed or unclear; is it still English? yes or no)
  mindflood audit runs/sst2/*/attacks/textfooler.jsonl --grades audits/sst2.csv

The sheet's key, written beside it, tells which row is of which attack: leave it closed until the
sheet is graded."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of ``mindflood audit``."""
    parser.add_argument(
        "attacks",
        nargs="+",
        type=expanded,
        metavar="ATTACKS",
        help="RUN/attacks folders or files of records in them, finished; several share one sheet",
    )
    parser.add_argument(
        "--sheet",
        type=expanded,
        metavar="FILE",
        help="the sheet that is drawn (audit.csv); never written over",
    )
    parser.add_argument("--num", type=int, metavar="N", help="successes of each attack (50)")
    parser.add_argument("--seed", type=int, metavar="S", help="of the sample (0)")
    parser.add_argument(
        "--grades",
        type=expanded,
        metavar="SHEET",
        help="read the grades of a sheet, and put them on the cards",
    )


def run(args: argparse.Namespace) -> int:
    """Draw a sheet, or read its grades; 0 when all is written.

    Raises:
        UserError: as :func:`mindflood.attack.audit.draw.draw` and
            :func:`mindflood.attack.audit.grades.put_on_cards`.
    """
    if args.grades is None:
        return _draw(args, Path(args.sheet or "audit.csv"))
    for name in ("sheet", "num", "seed"):
        if getattr(args, name) is not None:
            raise UserError(f"--{name}: is of a sheet that is drawn, not of one with --grades")
    return _grade(args, Path(args.grades))


def _draw(args: argparse.Namespace, sheet: Path) -> int:
    from mindflood.attack.audit.draw import draw, key_path

    count, seed = 50 if args.num is None else args.num, args.seed or 0
    if count < 1 or seed < 0:
        raise UserError(f"--num {count}, --seed {seed}: expected 1 or more, and 0 or more")
    if sheet.suffix != ".csv":
        raise UserError(f"--sheet {sheet}: expected a name that ends in .csv")
    attacks = draw(args.attacks, sheet, count, seed)
    drawn = [min(count, len(attack.successes)) for attack in attacks]
    for attack, number in zip(attacks, drawn, strict=True):
        if number < count:
            tell(f"{attack.path}: all of its {number} successes")
    say(
        f"{sheet}: {sum(drawn)} successes of {len(attacks)} "
        f"{'attack' if len(attacks) == 1 else 'attacks'}, key in {key_path(sheet)}",
        "fill in meaning (same, changed, unclear) and english (yes, no), then: mindflood audit "
        f"{' '.join(args.attacks)} --grades {sheet}",
    )
    return 0


def _grade(args: argparse.Namespace, sheet: Path) -> int:
    from mindflood.attack.audit.grades import put_on_cards

    for attack, audit in put_on_cards(args.attacks, sheet):
        say(f"{attack.path} ({attack.identity['profile']}): {describe(audit)}")
    return 0


def describe(audit: AuditSummary) -> str:
    """An audit as one line of text."""
    named = (
        ("keeps_label", "keep the label"),
        ("still_english", "still English"),
        ("validated_accuracy", "validated Aua"),
    )
    shown = [f"{what} {_percent(audit, name)}" for name, what in named]
    return f"{audit['graded']} graded, {audit['unclear']} unclear: {', '.join(shown)}"


def _percent(audit: Any, name: str) -> str:
    low, high = audit[f"{name}_interval"]
    return f"{100 * audit[name]:.1f} % ({100 * low:.1f} to {100 * high:.1f})"
