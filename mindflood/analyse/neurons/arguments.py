"""The options of ``mindflood analyse neurons``."""

import argparse
from typing import TYPE_CHECKING

from mindflood.files import expanded

if TYPE_CHECKING:
    from mindflood.analyse.neurons.study import Settings


def add_neuron_arguments(parser: argparse.ArgumentParser) -> None:
    """Add them."""
    parser.add_argument("--data", type=expanded,
                        help="folder with CoNLL-U files (default: the run's)")  # fmt: skip
    parser.add_argument("--subwords", choices=("last", "first", "average"), default="last",
                        help="which sub-words stand for a word (last)")  # fmt: skip
    parser.add_argument("--l1", type=float, default=1e-3, metavar="λ",
                        help="of the probe's sum of |weights| (1e-3)")  # fmt: skip
    parser.add_argument("--l2", type=float, default=1e-3, metavar="λ",
                        help="of the norm of its weights (1e-3)")  # fmt: skip
    parser.add_argument("--l2-form", choices=("root", "squared"), default="root",
                        help="the norm itself, or its square (root)")  # fmt: skip
    parser.add_argument("--passes", type=int, default=200,
                        help="of a probe over the training words, at most (200)")  # fmt: skip
    parser.add_argument("--top", type=int, default=5, metavar="N",
                        help="neurons a tag whose words are listed (5)")  # fmt: skip
    parser.add_argument("--words", type=int, default=5, metavar="N",
                        help="listed of a neuron (5)")  # fmt: skip
    parser.add_argument("--words-of", choices=("train", "test"), default="train",
                        help="which words are listed (train)")  # fmt: skip
    parser.add_argument("--keep", type=int, default=10, metavar="N",
                        help="neurons that the ablation leaves (10)")  # fmt: skip
    parser.add_argument("--share", type=float, default=0.25,
                        help="of a tag's weight, of the neurons that are drawn (0.25)")  # fmt: skip
    parser.add_argument("--draws", type=int, default=5, help="of random neurons (5)")
    parser.add_argument("--seed", type=int, default=0,
                        help="of random neurons and shuffled tags (0)")  # fmt: skip


def settings_of(args: argparse.Namespace) -> "Settings":
    """What they say."""
    from mindflood.analyse.neurons.probe import Penalty
    from mindflood.analyse.neurons.study import Settings

    return Settings(
        args.subwords,
        Penalty(args.l1, args.l2, args.l2_form),
        args.passes,
        args.top,
        args.words,
        args.words_of,
        args.keep,
        args.share,
        args.draws,
        args.seed,
    )
