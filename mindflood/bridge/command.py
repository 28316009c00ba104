"""``mindflood export RUN [OUT]``: MindSpore checkpoint to Hugging Face folder."""

import argparse
import os
from pathlib import Path

from mindflood.config.attack import task_of_json
from mindflood.data.options import add_own_data, own_data_of, strict_or_not
from mindflood.data.tasks import Task, get_task
from mindflood.errors import UserError
from mindflood.files import expanded, user_path
from mindflood.terminal import say

EPILOG = """examples:
  mindflood export runs/demo/flooding-seed0
  mindflood export runs/demo/flooding-seed0 exported/flooding-epoch-3 --epoch 3
  mindflood export network.ckpt exported/network --encoder bert-base-uncased --task sst2 \\
      --max-length 128
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of ``mindflood export``."""
    parser.add_argument("run", type=user_path, metavar="RUN", help="RUN folder, or a .ckpt file")
    parser.add_argument(
        "out",
        type=user_path,
        nargs="?",
        metavar="OUT",
        help="folder to write (default: RUN/model, of an epoch RUN/epochs/E/model)",
    )
    parser.add_argument(
        "--epoch",
        type=int,
        metavar="E",
        help="for a RUN folder with training.keep_epochs: the model of that epoch (from 1)",
    )
    parser.add_argument(
        "--encoder",
        type=expanded,
        help="for a .ckpt file: folder or hub id with config.json and tokenizer",
    )
    parser.add_argument(
        "--encoder-layers",
        type=int,
        metavar="N",
        help="for a .ckpt file: how many of the encoder's layers it has (default: all)",
    )
    parser.add_argument("--task", help="for a .ckpt file: the task whose labels it predicts")
    add_own_data(parser)
    # A task as JSON, from a training that attacks.
    parser.add_argument("--described", type=task_of_json, help=argparse.SUPPRESS)
    parser.add_argument(
        "--max-length",
        type=int,
        metavar="N",
        help="for a .ckpt file: tokens that it was trained with, at which the tokenizer cuts "
        "(default: of the RUN folder it lies in, else as many as the encoder takes)",
    )
    parser.add_argument(
        "--data",
        type=expanded,
        help="for a .ckpt file: where the rows of the check come from (folder or 'hub')",
    )


def run(args: argparse.Namespace) -> int:
    """Export, verify in PyTorch, and say how close the logits are and what is doubtful.

    A model whose logits differ is written with a warning, and the status is 0: the attack asks what
    PyTorch says, and that is a model all the same.
    """
    from mindflood.interrupts import stoppable
    from mindflood.locks import held

    os.environ.setdefault("GLOG_v", "3")  # MindSpore's warnings about itself
    out = args.out or _place_in(args.run, args.epoch)
    with stoppable(), held(out):
        from mindflood.bridge.export import export_torch, warn

        result = export_torch(
            args.run,
            out,
            epoch=args.epoch,
            encoder=args.encoder,
            encoder_layers=args.encoder_layers,
            task=args.described or task_of(args),
            data=args.data,
            max_length=args.max_length,
        )
    warn(out, result.warnings)
    say(f"{out}: {result.agreement.sentence()}")
    return 0


def task_of(args: argparse.Namespace) -> Task | None:
    """The task that the options name or describe; None: it is that of the RUN folder."""
    if (own := own_data_of(args)) is not None:
        return own
    return None if args.task is None else strict_or_not(get_task(args.task), args)


def _place_in(run: Path, epoch: int | None) -> Path:
    """Where attacks and the report look for the model of a run or of its epoch."""
    if not run.is_dir():
        if run.exists():
            raise UserError(f"{run}: a checkpoint by itself; name the folder to write behind it")
        raise UserError(f"{run}: no such RUN folder")
    from mindflood.training.run_folder import epoch_folder

    return (run if epoch is None else epoch_folder(run, epoch)) / "model"
