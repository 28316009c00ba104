"""``mindflood merge-attacks``: the command line of :mod:`mindflood.attack.results.merge`."""

import argparse

from mindflood.files import expanded
from mindflood.terminal import say, tell

EPILOG = """example, a job array of four and then:
  mindflood attack MODEL --task sst2 --recipe textfooler --out shares/$I --shard $I/4
  mindflood merge-attacks shares/1 shares/2 shares/3 shares/4 --out runs/sst2/flooding/attacks"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of ``mindflood merge-attacks``."""
    parser.add_argument(
        "folders", nargs="+", type=expanded, metavar="DIR", help="the --out of every share"
    )
    parser.add_argument(
        "--out", required=True, type=expanded, metavar="DIR", help="folder of the whole attack"
    )


def run(args: argparse.Namespace) -> int:
    """Merge, and print what the whole attack came to; 0 when it is written."""
    from mindflood.attack.command import described
    from mindflood.attack.results.merge import merge_shares
    from mindflood.cards.attack_key import AttackKey

    for key, summary in merge_shares(args.folders, args.out).items():
        attack = AttackKey.parse(key)
        say(*described(attack.recipe, attack.profile, summary))
        for warning in summary.get("warnings", ()):
            tell(f"mindflood: warning: {warning}")
    return 0
