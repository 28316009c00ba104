"""``mindflood attack``: the command line of the attack runner."""

import argparse
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from mindflood.attack.results.identity import results_name
from mindflood.attack.results.log_file import check_log
from mindflood.attack.results.metrics import percent, percent_between
from mindflood.attack.settings import PAPER_CANDIDATES
from mindflood.cards.rates import accuracy_under_attack, attack_success_rate, undecided
from mindflood.config.recipes import RECIPES
from mindflood.files import expanded
from mindflood.terminal import say, tell

DESCRIPTION = """Attack a Hugging Face classifier with TextAttack and measure its robustness.
An attack that was stopped is continued by the same command."""
EXAMPLE = """example:
  mindflood attack runs/sst2/flooding/model --task sst2 --data sst2 --recipe textfooler \\
      --out runs/sst2/flooding/attacks --num-examples 200"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``mindflood attack`` to its (sub-)parser."""
    parser.description = DESCRIPTION
    parser.epilog = EXAMPLE
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument(
        "model", type=expanded, metavar="MODEL", help="Hugging Face folder, RUN folder or hub id"
    )
    parser.add_argument("--task", required=True, help="task the model was trained on")
    parser.add_argument("--recipe", required=True, help=f"one of {', '.join(RECIPES)}")
    parser.add_argument(
        "--out", required=True, type=expanded, metavar="DIR", help="folder of the results"
    )
    parser.add_argument(
        "--data",
        type=expanded,
        help="folder with the examples, or file: all of it is attacked (default: the hub)",
    )
    parser.add_argument(
        "--profile",
        default="offline",
        help="paper: TextAttack's own recipe; offline: nothing is downloaded (default)",
    )
    parser.add_argument(
        "--num-examples",
        type=int,
        metavar="N",
        help="default: as in the paper; all of a file, also where the paper takes 800 rows",
    )
    parser.add_argument(
        "--split", choices=("train", "dev", "test"), help="default: as in the paper"
    )
    parser.add_argument("--seed", type=int, default=0, help="of the sample and the attack (0)")
    parser.add_argument("--workers", type=int, default=1, metavar="W", help="processes (1)")
    parser.add_argument(
        "--candidates",
        type=int,
        metavar="K",
        help=f"substitutes a sub-word of bert-attack: {PAPER_CANDIDATES} in the paper (default), "
        "8 in TextAttack from 0.3.11 on",
    )
    parser.add_argument(
        "--masked-lm",
        type=expanded,
        metavar="FOLDER",
        help="masked language model of the offline bert-attack and bae (default: made of the "
        "task's training text, once; for shares on several machines make it once with 'mindflood "
        "masked-lm' and give every share the same FOLDER)",
    )
    parser.add_argument(
        "--columns",
        default="both",
        help="which texts of a pair may change: both (as TextAttack's recipes), first or second",
    )
    parser.add_argument(
        "--temperature",
        metavar="fitted|weakest|T",
        help="attack the calibrated victim: logits over a temperature fitted to held-out rows, the "
        "one of several that weakens it most there, or T",
    )
    parser.add_argument(
        "--held-out", metavar="SPLIT", help="split of those rows, less the attacked ones (dev)"
    )
    parser.add_argument(
        "--shard",
        metavar="I/N",
        help="attack the I-th of N shares; 'merge-attacks' joins them "
        "(bert-attack, bae: see --masked-lm)",
    )
    parser.add_argument(
        "--ray",
        action="store_true",
        help="the workers are tasks of a Ray cluster (mindflood[ray]); every node reads the "
        "folders of MODEL and --masked-lm under the same path",
    )
    parser.add_argument(
        "--csv",
        type=expanded,
        metavar="FILE",
        help="also write the results as TextAttack's own CSV log",
    )
    parser.add_argument(
        "--at-once",
        type=int,
        metavar="K",
        help="samples attacked side by side in a process, their queries in shared batches "
        "(default: 16 on a CPU, 64 on a GPU)",
    )
    parser.add_argument(
        "--max-queries",
        type=int,
        metavar="N",
        help="most queries a sample; one that needs more is undecided (default: no limit; pso: "
        "5000)",
    )
    parser.add_argument(
        "--max-seconds",
        type=float,
        metavar="S",
        help="most seconds a sample's own computing may take, its share of each batch included; "
        "depends on the machine (default: no limit)",
    )
    parser.add_argument(
        "--allow-textattack-pickles",
        action="store_true",
        help="let TextAttack load the pickles among the downloads of profile paper",
    )


def run(args: argparse.Namespace) -> int:
    """Attack as ``args`` say; returns the exit status.

    Raises:
        UserError: as :func:`mindflood.attack.runner.attack`.
        KeyboardInterrupt: with where the records are that are done.
    """
    from mindflood.attack.runner import attack
    from mindflood.interrupts import stopped

    if args.csv is not None:
        check_log(Path(args.csv))
    try:
        summary = attack(
            args.model,
            args.task,
            args.recipe,
            args.out,
            data=args.data,
            profile=args.profile,
            num_examples=args.num_examples,
            split=args.split,
            seed=args.seed,
            workers=args.workers,
            allow_pickles=args.allow_textattack_pickles,
            candidates=args.candidates,
            masked_lm=args.masked_lm,
            columns=args.columns,
            shard=args.shard,
            ray=args.ray,
            temperature=args.temperature,
            held_out=args.held_out,
            max_queries=args.max_queries,
            max_seconds=args.max_seconds,
            at_once=args.at_once,
        )
    except KeyboardInterrupt:
        raise KeyboardInterrupt(stopped(args.out)) from None
    say(*described(args.recipe, args.profile, summary))
    if args.csv is not None:
        from mindflood.attack.results.csv_log import write_csv

        name = results_name(args.recipe, calibrated=args.temperature is not None)
        left_out = write_csv(Path(args.out) / f"{name}.jsonl", Path(args.csv))
        if left_out:
            tell(
                f"{args.csv}: {left_out} samples are left out: their attack raised or had no time "
                "to begin, for which TextAttack has no row"
            )
    return 0


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
