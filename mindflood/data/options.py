"""A user's own data on the command line: the options that several verbs share."""

import argparse
import dataclasses

from mindflood.data.own import data_name, own_task
from mindflood.data.tasks import Task
from mindflood.errors import UserError


def add_own_data(parser: argparse.ArgumentParser) -> None:
    """Add ``--text``, ``--label``, ``--labels`` and ``--skip-bad-rows``."""
    group = parser.add_argument_group("your own data, in place of --task")
    group.add_argument(
        "--text", nargs="+", metavar="COLUMN", help="its column of texts, or two for pairs"
    )
    group.add_argument("--label", action="append", metavar="COLUMN", help="its column of classes")
    group.add_argument(
        "--labels",
        nargs="+",
        metavar="NAME",
        help="its classes in the order of the model's (default: as the model's config.json names "
        "them)",
    )
    group.add_argument(
        "--skip-bad-rows",
        action="store_true",
        help="malformed rows are counted and left out, not refused",
    )


def own_data_of(args: argparse.Namespace) -> Task | None:
    """The task that the options describe, its classes () where they do not list them; or None.

    Raises:
        UserError: they do not go together.
    """
    labels = args.label or []
    if len(labels) > 1:
        raise UserError(f"--label: given {len(labels)} times; name one column")
    if args.text is None:
        for name in ("label", "labels"):
            if getattr(args, name):
                raise UserError(f"--{name}: is for your own data; name its texts with --text")
        return None
    if not labels:
        raise UserError("--label: missing; name the column of the classes in your own data")
    if args.data is None:
        raise UserError("--data: missing; name the file or folder of your own data")
    if getattr(args, "task", None) is not None:
        raise UserError(
            f"--text: task {args.task} has its own columns; leave out one of --task and --text"
        )
    try:
        return own_task(
            args.text,
            labels[0],
            args.labels or (),
            name=data_name(args.data),
            skip_bad_rows=args.skip_bad_rows,
        )
    except UserError as error:
        raise UserError(f"--{error}") from None


def strict_or_not(task: Task, args: argparse.Namespace) -> Task:
    """A task whose malformed rows are left out where ``--skip-bad-rows`` is given."""
    return dataclasses.replace(task, skip_bad_rows=True) if args.skip_bad_rows else task
