"""``mindflood augment CONFIG --out FILE``: the new training rows of a config by themselves."""

import argparse
from pathlib import Path

from mindflood.files import user_path
from mindflood.terminal import say

EPILOG = """example:
  mindflood augment configs/demo.yaml augment=ssmba augmentation.samples=2 --out new.jsonl

'mindflood train' and 'run' make what a config with 'augment' asks for by themselves.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of ``mindflood augment``."""
    from mindflood.pipeline.train_command import add_arguments as of_train

    of_train(parser)
    parser.add_argument(
        "--out", type=user_path, required=True, metavar="FILE", help="JSON lines to write"
    )


def run(args: argparse.Namespace) -> int:
    """Write the new rows, and how they were made beside them; prints what came of it.

    Raises:
        UserError: the config has no ``augment``, or as :func:`mindflood.augment.make.make`.
    """
    from mindflood.config.load import load_train_config
    from mindflood.errors import UserError
    from mindflood.files import check_file
    from mindflood.training.augmented_rows import check_free

    config, out = load_train_config(args.config, args.overrides), Path(args.out)
    if config.augment is None:
        raise UserError(
            f"{args.config}: augment: is null; give augment=ssmba or augment=back-translation"
        )
    check_free(out)
    check_file(out)
    from mindflood.augment.make import make

    say(make(config, out))
    return 0
