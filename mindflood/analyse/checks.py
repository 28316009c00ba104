"""Which arguments of ``mindflood analyse`` make sense."""

import argparse
import math

from mindflood.errors import UserError


def check(args: argparse.Namespace) -> None:
    """Refuse numbers that are out of range.

    Raises:
        UserError: names the option, what was expected and what was given.
    """
    if args.kind == "transfer":
        return
    _at_least(0, "--seed", args.seed)
    if args.kind == "neurons":
        for name in ("top", "words", "keep", "passes", "draws"):
            _at_least(1, f"--{name}", getattr(args, name))
        for name in ("l1", "l2"):
            _at_least(0, f"--{name}", getattr(args, name))
        if not 0 <= args.share <= 1:
            raise UserError(f"--share {args.share}: expected a share between 0 and 1")
        return
    _at_least(1, "--num-examples", args.num_examples)
    if args.kind == "noise":
        _at_least(1, "--draws", args.draws)
        for alpha in args.alpha:
            _at_least(0, "--alpha", alpha)
    if args.kind == "ball":
        for name in ("steps", "restarts", "halvings"):
            _at_least(1, f"--{name}", getattr(args, name))
        if not (0 < args.largest < math.inf):
            raise UserError(f"--largest {args.largest}: expected a radius above 0")


def _at_least(least: int, name: str, value: float) -> None:
    if not (value >= least and math.isfinite(value)):
        raise UserError(f"{name} {value}: expected at least {least}")
