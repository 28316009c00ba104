"""The command line: ``mindflood --help`` is the map."""

import argparse
import importlib
import signal
import sys
from collections.abc import Sequence

from mindflood import __version__
from mindflood.errors import StageFailedError, UserError, did_you_mean
from mindflood.process import end_with_starter
from mindflood.terminal import check_delivered, guard_streams, tell

# Verb, what it does, and the module with add_arguments(parser) and run(args).
VERBS = (
    (
        "run",
        "train every method of a config, export, attack, report",
        "mindflood.pipeline.experiment",
    ),
    (
        "train",
        "train one method with one seed into a RUN folder",
        "mindflood.pipeline.train_command",
    ),
    ("augment", "more training rows, by SSMBA or back-translation", "mindflood.augment.command"),
    ("export", "MindSpore checkpoint to Hugging Face folder", "mindflood.bridge.command"),
    ("predict", "what a model answers to a text", "mindflood.attack.predict"),
    ("attack", "attack a Hugging Face classifier with TextAttack", "mindflood.attack.command"),
    (
        "analyse",
        "the papers' analyses of trained models, into their cards",
        "mindflood.analyse.command",
    ),
    ("report", "result cards to tables, figures and report.html", "mindflood.report.command"),
    (
        "config",
        "every setting of a config with its meaning, values and default",
        "mindflood.config.command",
    ),
    ("doctor", "what this machine has, what is missing, how to mend it", "mindflood.doctor"),
    (
        "audit",
        "a sheet of successes to be graded by people, and what they found, into the cards",
        "mindflood.attack.audit.command",
    ),
    (
        "merge-attacks",
        "the shares of an attack (--shard) to the whole attack",
        "mindflood.attack.merge_command",
    ),
    (
        "masked-lm",
        "train the masked language model of the offline BERT-Attack, BAE, A2T-MLM",
        "mindflood.masked_lm.command",
    ),
)
# Verbs that the help has in groups of their own, below those that everybody needs.
ASIDE = {
    "before a training": ("augment",),
    "around an attack": ("audit", "merge-attacks", "masked-lm"),
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one verb.

    Returns:
        0 on success, 1 where ``doctor`` finds the offline path broken, 2 for a user's mistake,
        130 after Ctrl-C.
    """
    guard_streams()
    try:
        args = _arguments(list(sys.argv[1:] if argv is None else argv))
        status: int = args.run_verb(args)
        check_delivered()
        return status
    except UserError as error:
        tell(f"mindflood: error: {error}")
        return 2
    except StageFailedError as error:
        return error.status
    except KeyboardInterrupt as stop:
        tell(f"mindflood: {str(stop) or 'stopped; the same command continues'}")
        return 130


def run_script(verb: str) -> int:
    """The command line of a script in ``tools/``: one verb with the script's own arguments."""
    return main([verb, *sys.argv[1:]])


def _arguments(words: list[str]) -> argparse.Namespace:
    """Threads that start here, a library's too, leave Ctrl-C to the main thread.

    A thread begins with the signals that its starter blocks, and so does a process, which is why
    this one may have begun with Ctrl-C blocked.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        end_with_starter()
        return _parser(words).parse_args(words)
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})


def _map() -> str:
    """The verbs and what they do, those of ``ASIDE`` in groups of their own."""

    def listed(names: Sequence[str]) -> str:
        return "\n".join(f"  {name:<15}{what}" for name, what, _ in VERBS if name in names)

    aside = {name for names in ASIDE.values() for name in names}
    groups = {"verbs": [name for name, _, _ in VERBS if name not in aside], **ASIDE}
    shown = "\n\n".join(f"{title}:\n{listed(names)}" for title, names in groups.items())
    return f"""Text classifiers that resist adversarial attacks, native in MindSpore.

{shown}

'mindflood VERB --help' shows the arguments of a verb and an example."""


def _parser(words: Sequence[str]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="mindflood",
        usage="mindflood [-h] [--version] VERB ...",
        description=_map(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"mindflood {__version__}")
    known = [name for name, _, _ in VERBS]
    if words and not words[0].startswith("-") and words[0] not in known:
        close = did_you_mean(words[0], known)
        raise UserError(f"'{words[0]}': no such verb{close}; 'mindflood --help' lists them")
    verbs = parser.add_subparsers(metavar="VERB", required=True, help=argparse.SUPPRESS)
    for name, summary, module_name in VERBS:
        verb = verbs.add_parser(
            name,
            description=summary[0].upper() + summary[1:] + ".",
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        if name in words[:1]:  # a verb's module is imported only where that verb is called
            module = importlib.import_module(module_name)
            verb.epilog = getattr(module, "EPILOG", None)
            module.add_arguments(verb)
            verb.set_defaults(run_verb=module.run)
    return parser
