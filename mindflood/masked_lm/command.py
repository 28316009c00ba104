"""``mindflood masked-lm TASK``: the language model that the offline recipes with one ask."""

import argparse
import dataclasses
import os
from pathlib import Path
from typing import TYPE_CHECKING

from mindflood.config.attack import task_of_json
from mindflood.data.options import add_own_data, own_data_of, strict_or_not
from mindflood.files import expanded, user_path
from mindflood.models.pretrained import EMBEDDED
from mindflood.terminal import say

if TYPE_CHECKING:
    from mindflood.data.tasks import Task
    from mindflood.masked_lm.settings import MaskedLMSettings

EPILOG = """examples:
  mindflood masked-lm sst2 --data sst2 --out models/sst2-masked-lm
  mindflood masked-lm --data reviews.csv --text review --label stars --out models/reviews-masked-lm

'mindflood attack --recipe bert-attack' (or bae, a2t-mlm) makes it by itself where the cache
lacks it. For shares of an attack on several machines (--shard, --ray) make it once and give
every share --masked-lm FOLDER: machines that train it with other numbers of threads get other
weights, and shares with other models do not merge.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of ``mindflood masked-lm``."""
    from mindflood.masked_lm.settings import MaskedLMSettings

    parser.add_argument(
        "task", metavar="TASK", nargs="?", help="task whose training text it learns"
    )
    parser.add_argument(
        "--data", type=expanded, help="folder or file with the examples (default: the hub)"
    )
    add_own_data(parser)
    # A task as JSON, from the attack.
    parser.add_argument("--described", type=task_of_json, help=argparse.SUPPRESS)
    parser.add_argument(
        "--out", type=user_path, metavar="FOLDER", help="default: mindflood's cache"
    )
    parser.add_argument(
        "--encoder",
        type=expanded,
        default=EMBEDDED,
        help="folder or hub id of a BERT (default: embedded)",
    )
    parser.add_argument(
        "--steps",
        type=int,
        default=MaskedLMSettings.steps,
        help=f"training steps of 32 pieces of text ({MaskedLMSettings.steps})",
    )


def run(args: argparse.Namespace) -> int:
    """Train, verify and write the model, unless the cache has it; prints its folder.

    Raises:
        UserError: the text cannot be read, or the folder cannot be written.
    """
    from mindflood.data.own import training_labels
    from mindflood.data.tasks import get_task
    from mindflood.errors import UserError
    from mindflood.files import check_writable
    from mindflood.interrupts import stoppable
    from mindflood.locks import held, locked
    from mindflood.masked_lm.settings import MaskedLMSettings, cached_folder, described

    if args.steps < 1:
        raise UserError(f"--steps {args.steps}: expected 1 or more")
    settings = MaskedLMSettings(encoder=args.encoder, steps=args.steps)
    task = args.described or own_data_of(args)
    if task is None and args.task is None:
        raise UserError("TASK: missing; name a task, or your own data with --data, --text, --label")
    task = strict_or_not(task or get_task(args.task), args)
    if not task.label_names:
        task = dataclasses.replace(task, label_names=training_labels(task, args.data))
    out: Path = args.out or cached_folder(task, args.data, settings)
    if args.out is not None and out.exists() and not (out.is_dir() and not any(out.iterdir())):
        what = "a model" if (out / "config.json").exists() else "something"
        raise UserError(f"{out}: there is {what} already; choose another --out")
    check_writable(out)
    with stoppable():
        if args.out is not None:
            with held(out):
                _make(task, args.data, settings, out)
        else:
            waiting = f"another process is making {out}; waiting for it"
            with locked(out.with_name(f".{out.name}.lock"), waiting):
                if not (out / "config.json").exists():
                    _make(task, args.data, settings, out)
    say(f"{out}: {described(out)}")
    return 0


def _make(task: "Task", data: str | None, settings: "MaskedLMSettings", out: Path) -> None:
    os.environ.setdefault("GLOG_v", "3")  # MindSpore's warnings about itself
    from mindflood.masked_lm.train import make

    make(task, data, settings, out)
