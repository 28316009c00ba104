"""``mindflood report FOLDER``."""

import argparse

from mindflood.files import user_path
from mindflood.terminal import say

EPILOG = "example: mindflood report runs/demo    writes runs/demo/report.html and runs/demo/report/"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of ``mindflood report``."""
    parser.add_argument(
        "folder", type=user_path, metavar="FOLDER", help="folder with runs below it"
    )


def run(args: argparse.Namespace) -> int:
    """Write the report, print the comparison and where the page is; 0 when it is written."""
    import rich

    from mindflood.cards.cards import find_runs
    from mindflood.report.page import report
    from mindflood.report.tables.paper import comparison_table

    page = report(args.folder)
    rich.print(comparison_table([run.card for run in find_runs(args.folder)]))
    say(str(page))
    return 0
