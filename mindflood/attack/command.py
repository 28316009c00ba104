"""``mindflood attack``: the command line of the attack runner."""

import argparse
import dataclasses
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from mindflood.attack.of_run import attacks_of_run, export_if_missing, is_run
from mindflood.attack.results.identity import results_name
from mindflood.attack.results.log_file import check_log
from mindflood.attack.results.metrics import percent, percent_between
from mindflood.attack.settings import asked, option
from mindflood.cards.rates import accuracy_under_attack, attack_success_rate, undecided
from mindflood.config.attack import AttackOptions, AttackSettings
from mindflood.config.schema import Key, keys_of
from mindflood.data.options import add_own_data, own_data_of, strict_or_not
from mindflood.errors import UserError
from mindflood.fields import fields_of
from mindflood.files import expanded, user_path
from mindflood.terminal import say, tell

DESCRIPTION = """Attack a classifier with TextAttack and measure its robustness.
A RUN folder is attacked as its own config says, and what is given here replaces that; where it has
no model/ yet, it is exported first. Any other model needs --recipe, --out and --task, or for your
own data --data, --text and --label. The recipes swap English words for English words.
An attack that was stopped is continued by the same command."""
EXAMPLE = """examples:
  mindflood attack runs/sst2/flooding-seed0
  mindflood attack runs/sst2/flooding-seed0 --recipe pwws --num-examples 200
  mindflood attack textattack/bert-base-uncased-SST-2 --task sst2 --data sst2 --recipe textfooler \\
      --out attacked --num-examples 200
  mindflood attack MODEL --data data/test.csv --text review --label stars --recipe textfooler \\
      --out attacked"""
_KINDS = {"whole number": ("N", int), "number": ("X", float), "path": ("PATH", expanded)}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``mindflood attack`` to its (sub-)parser."""
    parser.description = DESCRIPTION
    parser.epilog = EXAMPLE
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument(
        "model", type=expanded, metavar="MODEL", help="RUN folder, Hugging Face folder or hub id"
    )
    parser.add_argument(
        "--out", type=user_path, metavar="DIR", help="folder of the results (RUN/attacks)"
    )
    shared = fields_of(AttackOptions)
    for key in sorted(keys_of(AttackSettings), key=lambda key: key.name in shared):
        if key.name != "model":
            _add_option(parser, key)
    add_own_data(parser)
    parser.add_argument(
        "--csv",
        type=expanded,
        metavar="FILE",
        help="also write the results as TextAttack's own CSV log",
    )
    # The epoch (from 1) that a run is to train on what the attack finds.
    parser.add_argument("--training-rows", type=int, help=argparse.SUPPRESS)
    # All settings as one, from another stage of mindflood.
    parser.add_argument("--settings", type=AttackSettings.from_json, help=argparse.SUPPRESS)


def _add_option(parser: argparse.ArgumentParser, key: Key) -> None:
    """The option of a setting; what is not given is None, and not the default."""
    how: dict[str, Any] = {"action": "store_const", "const": True}
    notes = []
    if key.values != "true, false":
        kind = re.sub(r" \(.*?\)", "", key.values.removesuffix(" or null"))
        letter, read = _KINDS.get(kind, (key.name.upper(), str))
        how = {"metavar": letter, "type": read}
        if ", " in kind and " or " not in kind:
            notes.append(f"one of {kind}")
        if key.default not in ("", "null"):
            notes.append(f"default: {key.default}")
    told = f" ({'; '.join(notes)})" if notes else ""
    meaning = f"{key.meaning.rstrip('.')}{told}".replace("%", "%%")
    parser.add_argument(option(key.name), dest=key.name, default=None, help=meaning, **how)


def run(args: argparse.Namespace) -> int:
    """Attack as ``args`` say; returns the exit status.

    Raises:
        UserError: as :func:`mindflood.attack.runner.attack_as`; or an option is missing.
        KeyboardInterrupt: with where the records are that are done.
    """
    if args.training_rows is not None:
        from mindflood.attack.training_rows import attack_training_rows

        attack_training_rows(Path(args.model), args.training_rows)
        return 0
    asked_for = _asked(args)
    out = args.out or Path(args.model) / "attacks"
    if args.csv is not None:
        if len(asked_for) > 1:
            raise UserError(
                f"--csv {args.csv}: takes one attack, and {args.model} asks for {len(asked_for)}; "
                "choose one with --recipe"
            )
        check_log(Path(args.csv))
    if args.settings is None and is_run(Path(args.model)):
        export_if_missing(Path(args.model))
    for settings in asked_for:
        _attack(settings, out)
        if args.csv is not None:
            _log(settings, out, Path(args.csv))
    return 0


def _asked(args: argparse.Namespace) -> list[AttackSettings]:
    if args.settings is not None:
        return [args.settings]
    names = [key.name for key in keys_of(AttackSettings)]
    given = {name: getattr(args, name) for name in names if getattr(args, name) is not None}
    own = own_data_of(args)
    if is_run(Path(args.model)):
        del given["model"]
        found = list(attacks_of_run(Path(args.model), given, own))
    else:
        _check_whole(args)
        found = [asked(given if own is None else given | {"task": own})]
    return [dataclasses.replace(one, task=strict_or_not(one.task, args)) for one in found]


def _check_whole(args: argparse.Namespace) -> None:
    """Check that all is said that a model from elsewhere does not say itself.

    Raises:
        UserError: it is not.
    """
    wanted = ("recipe", "out") if args.text else ("task", "recipe", "out")
    missing = [f"--{name}" for name in wanted if getattr(args, name) is None]
    if missing:
        own = " (your own data has --text and --label in place of --task)"
        raise UserError(
            f"{', '.join(missing)}: missing; only a RUN folder, which {args.model} is not, says "
            f"itself how it is attacked{own if args.task is None and not args.text else ''}"
        )


def _attack(settings: AttackSettings, out: Path) -> None:
    from mindflood.attack.runner import attack_as
    from mindflood.interrupts import stopped

    try:
        summary = attack_as(settings, out)
    except KeyboardInterrupt:
        raise KeyboardInterrupt(stopped(out)) from None
    say(*described(settings.recipe, settings.profile, summary))


def _log(settings: AttackSettings, out: Path, log: Path) -> None:
    from mindflood.attack.results.csv_log import write_csv

    name = results_name(settings.recipe, calibrated=settings.temperature is not None)
    left_out = write_csv(out / f"{name}.jsonl", log)
    if left_out:
        tell(
            f"{log}: {left_out} samples are left out: their attack raised or had no time to begin, "
            "for which TextAttack has no row"
        )


def described(recipe: str, profile: str, summary: Mapping[str, Any]) -> list[str]:
    """The summary of an attack in a few lines."""
    names = ("skipped", "succeeded", "failed", "errors", "out_of_budget", "untouched")
    counts = ", ".join(f"{summary[key]} {key.replace('_', ' ')}" for key in names)
    aua, suc = accuracy_under_attack(summary), attack_success_rate(summary)
    return [
        f"{recipe} ({profile}{_variant(summary)}): {summary['num_examples']} samples: {counts}",
        f"Aua {percent_between(aua)}  Suc {percent_between(suc)}  #Query {_queries(summary)}  "
        f"{summary['seconds']:.0f} s  ECE {percent(summary['calibration_error'])}  "
        f"fingerprint {summary['fingerprint']}",
        *_left_open(summary),
        *(f"  replaced: {what}" for what in summary["replaced"]),
    ]


def _queries(summary: Mapping[str, Any]) -> str:
    if summary["mean_queries"] is not None:
        return f"{summary['mean_queries']:.1f}"
    least = summary["mean_queries_at_least"]
    return "–" if least is None else f"at least {least:.1f}"


def _left_open(summary: Mapping[str, Any]) -> Iterator[str]:
    """What is to be said of samples that no rate counts."""
    if open_ones := undecided(summary):
        yield (
            f"  undecided: {open_ones} samples, their attack ran out of its budget or raised an "
            "error; a rate that they could move by more than a point is the range from all of them "
            "broken to none"
        )
    if summary["untouched"]:
        yield (
            f"  untouched: {summary['untouched']} samples on which the attack had no candidate to "
            "try; they are in no rate"
        )


def _variant(summary: Mapping[str, Any]) -> str:
    """How the attack differs from the recipe's usual one, and from others on the same card."""
    found = ""
    if summary.get("columns", "both") != "both":
        found += f", {summary['columns']} text only"
    if (calibration := summary.get("calibration")) is not None:
        found += f", victim at temperature {calibration['temperature']:g} {calibration['source']}"
    return found
