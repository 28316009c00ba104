"""``mindflood report FOLDER``."""

import argparse
import shlex

from mindflood.files import user_path
from mindflood.terminal import say
from mindflood.visible import visible_words

EPILOG = """examples:
  mindflood report runs/demo    writes runs/demo/report.html, leaderboard.html and report/
  mindflood report results      the leaderboard of all cards below: results/leaderboard.html"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of ``mindflood report``."""
    parser.add_argument(
        "folder", type=user_path, metavar="FOLDER", help="folder with runs below it"
    )


def run(args: argparse.Namespace) -> int:
    """Write the report, print verdicts, comparison and where the page is; 0 when it is written."""
    import rich

    from mindflood.cards.cards import find_runs
    from mindflood.report.page import report
    from mindflood.report.tables.paper import comparison_table
    from mindflood.report.verdict import rules, unattacked, verdicts

    page, runs = report(args.folder), find_runs(args.folder)
    found = verdicts(runs)
    for verdict in found:
        _print(f"{verdict.title}: {verdict.sentence}", *verdict.details)
    for rule in rules(found):
        _print(rule)
    rich.print(comparison_table([run.card for run in runs]))
    missing = unattacked(runs)
    if missing:
        say(f"{len(missing)} of {len(runs)} runs have no attack yet:")
        say(*(f"  mindflood attack {shlex.quote(str(run.folder))}" for run in missing))
    say(str(page.with_name("leaderboard.html")), str(page))
    return 0


def _print(said: str, *details: str) -> None:
    """A sentence, and below it what stands behind it; both broken at the terminal's width."""
    import rich
    from rich.padding import Padding
    from rich.text import Text

    rich.print(Text(visible_words(said)))
    if details:
        rich.print(Padding(Text(visible_words(" ".join(details)), "dim"), (0, 0, 0, 2)))
