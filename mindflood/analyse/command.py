"""``mindflood analyse``: the papers' analyses of trained models, into their cards."""

import argparse
import dataclasses
from collections.abc import Callable
from typing import Any

from mindflood.analyse.neurons.arguments import add_neuron_arguments, settings_of
from mindflood.data.options import add_own_data, own_data_of, strict_or_not
from mindflood.files import expanded
from mindflood.kinds import Kind
from mindflood.terminal import say, tell

EPILOG = """examples:
  mindflood analyse noise runs/sst2/finetune-seed0 runs/sst2/flooding-x-seed0
  mindflood analyse ball runs/sst2/*-seed0 --reference runs/sst2/freelb-seed0
  mindflood analyse generalisation runs/mr/*-seed0 --on imdb=FOLDER_WITH_IMDB
  mindflood analyse transfer runs/sst2/*-seed0
  mindflood analyse neurons runs/pos/*-seed0

'mindflood report' then draws what the cards say."""

_ALPHAS = (0.0, 0.02, 0.04, 0.06, 0.08, 0.1, 0.15, 0.2, 0.3)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of ``mindflood analyse``."""
    kinds = parser.add_subparsers(
        dest="kind", metavar="noise|ball|generalisation|transfer|neurons", required=True
    )
    noise = _kind(kinds, "noise", "loss under Gaussian noise in the word embeddings")
    noise.add_argument("--alpha", type=float, nargs="+", default=_ALPHAS, metavar="A",
                       help="standard deviations of the noise")  # fmt: skip
    noise.add_argument("--draws", type=int, default=3, help="of the noise, averaged (3)")
    ball = _kind(kinds, "ball", "the largest rise of the loss in a ball around each sample")
    ball.add_argument("--reference", required=True, type=expanded, metavar="RUN",
                      help="the run whose model gives each sample's radius")  # fmt: skip
    ball.add_argument("--steps", type=int, default=100, help="of the search (100; paper: 2,000)")
    ball.add_argument("--restarts", type=int, default=2, help="of the search (2)")
    ball.add_argument("--largest", type=float, default=2.0, help="radius that is tried (2.0)")
    ball.add_argument("--halvings", type=int, default=6, help="of the radius' bracket (6)")
    other = _kind(kinds, "generalisation", "accuracy in and out of the training distribution")
    other.add_argument("--on", nargs="+", required=True, metavar="TASK=DATA",
                       help="tasks with the same labels, and where their files are; all of them: "
                       "a later call replaces what an earlier one found")  # fmt: skip
    transfer = _of_runs(kinds, "transfer", "every model's adversarial texts tried on the others")
    transfer.set_defaults(data=None)  # the texts are those of the runs' attacks
    neurons = _of_runs(kinds, "neurons", "which neurons of a tagger know which tag")
    add_neuron_arguments(neurons)


def _of_runs(kinds: Any, name: str, summary: str) -> argparse.ArgumentParser:
    kind: argparse.ArgumentParser = kinds.add_parser(name, help=summary, description=summary)
    kind.add_argument(
        "runs", nargs="+", type=expanded, metavar="RUN", help="RUN folders, exported, or models"
    )
    kind.add_argument("--task", help="of models that were not trained here")
    add_own_data(kind)
    return kind


def _kind(kinds: Any, name: str, summary: str) -> argparse.ArgumentParser:
    kind = _of_runs(kinds, name, summary)
    kind.add_argument(
        "--data", type=expanded, help="folder or file of the task (default: the run's)"
    )
    kind.add_argument("--num-examples", type=int, metavar="N", default=200, help="rows (200)")
    kind.add_argument("--seed", type=int, default=0, help="of the sample and all randomness (0)")
    return kind


def run(args: argparse.Namespace) -> int:
    """Analyse every run and put the result into its card; prints one line a run.

    Raises:
        UserError: bad input; the cards stay as they are.
    """
    from mindflood.analyse.checks import check
    from mindflood.analyse.subject import subject

    check(args)
    own = own_data_of(args)
    of: Kind = "tagging" if args.kind == "neurons" else "classification"
    subjects = [subject(folder, args.data, args.task, own, of) for folder in args.runs]
    subjects = [dataclasses.replace(s, task=strict_or_not(s.task, args)) for s in subjects]
    kinds = {
        "noise": _noise,
        "ball": _ball,
        "generalisation": _others,
        "transfer": _transfer,
        "neurons": _neurons,
    }
    analyse: Callable[..., Any] = kinds[args.kind]
    for found, (key, result, line) in zip(subjects, analyse(args, subjects), strict=True):
        found.merge(args.kind, key, result)
        for warning in result.get("warnings", ()):
            tell(f"mindflood: warning: {found.name}: {warning}")
        say(f"{found.name}: {line}")
    return 0


def _embedded(subjects: Any) -> list[Any]:
    from mindflood.analyse.embedded import EmbeddedClassifier

    loaded = [EmbeddedClassifier(s.model, s.task.num_labels) for s in subjects]
    for classifier, found in zip(loaded, subjects, strict=True):
        classifier.victim.check_labels(found.task.label_names)
    return loaded


def _warn(result: Any, classifier: Any, examples: Any, names: Any) -> None:
    """Let an analysis warn of a model that is no classifier, if it is none.

    Args:
        result: the analysis.
        names: the task's label names.
    """
    from mindflood.attack.results.accuracy import predictions
    from mindflood.cards.degenerate import signs_of_degeneracy

    predicted = predictions(classifier.victim, examples)
    if signs := signs_of_degeneracy(predicted, examples.labels, names):
        result["warnings"] = signs


def _noise(args: argparse.Namespace, subjects: Any) -> Any:
    from mindflood.analyse.noise import loss_under_noise

    loaded = _embedded(subjects)
    samples = [s.examples(args.num_examples, args.seed) for s in subjects]
    for classifier, examples, found in zip(loaded, samples, subjects, strict=True):
        result = loss_under_noise(
            classifier, examples, sorted(set(args.alpha)), draws=args.draws, seed=args.seed
        )
        _warn(result, classifier, examples, found.task.label_names)
        pairs = zip(result["alpha"], result["loss"], strict=True)
        yield None, result, "  ".join(f"α={alpha:g}: {loss:.3f}" for alpha, loss in pairs)


def _ball(args: argparse.Namespace, subjects: Any) -> Any:
    from mindflood.analyse import ball
    from mindflood.analyse.subject import subject
    from mindflood.errors import UserError

    reference = subject(args.reference, args.data, args.task, own_data_of(args))
    reference = dataclasses.replace(reference, task=strict_or_not(reference.task, args))
    for other in subjects:
        if (other.task, other.data) != (reference.task, reference.data):
            raise UserError(
                f"{other.folder}: its task or data is not the reference's; compare runs of one task"
            )
        if None not in (encoders := {other.encoder, reference.encoder}) and len(encoders) > 1:
            raise UserError(
                f"{other.folder}: its encoder is {other.encoder}, the reference's "
                f"{reference.encoder}; a radius in the embeddings of one says nothing of another"
            )
    search = ball.BallSearch(args.steps, args.restarts, args.seed)
    loaded = _embedded([reference, *subjects])
    sample = reference.examples(args.num_examples, args.seed)
    examples = ball.all_right(loaded, sample)
    if not len(examples):
        raise UserError(
            f"--num-examples {args.num_examples}: there is none that all models classify right"
        )
    radii = ball.safe_radii(loaded[0], examples, search, args.largest, args.halvings)
    for classifier in loaded[1:]:
        increments, natural = ball.max_increments(classifier, examples, radii, search)
        result = ball.summary(increments, natural, radii, args.largest, search)
        result["requested"], result["texts"] = len(sample), ball.digest(examples)
        _warn(result, classifier, sample, reference.task.label_names)
        low, high = result["quartiles"]
        yield (
            reference.long_name,
            result,
            f"max increment {result['max_increment']:.3f} ({low:.3f} to {high:.3f}), natural loss "
            f"{result['natural_loss']:.4f}, {len(examples)} samples, radius of "
            f"{reference.long_name} (0: {result['without_radius']} samples, the largest: "
            f"{result['of_largest_radius']})",
        )


def _others(args: argparse.Namespace, subjects: Any) -> Any:
    from mindflood.analyse.generalisation import accuracies, other_data
    from mindflood.attack.victim.wrapper import Victim

    limit = args.num_examples, args.seed
    checked = [other_data(args.on, subject.task, *limit) for subject in subjects]
    samples = [(s.task.name, s.examples(*limit)) for s in subjects]
    victims = [Victim(s.model, num_labels=s.task.num_labels) for s in subjects]
    for victim, found in zip(victims, subjects, strict=True):
        victim.check_labels(found.task.label_names)
    for subject, victim, own, others in zip(subjects, victims, samples, checked, strict=True):
        result = accuracies(victim, own, others, subject.task.label_names)
        result["seed"] = args.seed
        shown = [result["in"], *result["out"]]
        yield None, result, "  ".join(f"{o['task']} {100 * o['accuracy']:.1f} %" for o in shown)


def _transfer(args: argparse.Namespace, subjects: Any) -> Any:
    from mindflood.analyse.transfer import transfers

    for result in transfers(subjects):
        lines = [
            f"{attack}: of {found['held']} texts that held, {found['fell']} fall to the others'"
            for attack, found in result["attacks"].items()
        ]
        yield None, result, "; ".join(lines)


def _neurons(args: argparse.Namespace, subjects: Any) -> Any:
    from mindflood.analyse.neurons.tagged import check_tags, tagged_sentences

    corpora = [tagged_sentences(found) for found in subjects]

    from mindflood.analyse.neurons.study import analysed, check_counts  # torch: all else is right
    from mindflood.analyse.neurons.tagger import Tagger

    settings = settings_of(args)
    for found, pair in zip(subjects, corpora, strict=True):  # all that is wrong before long work
        tagger = Tagger(found.model)
        check_counts(tagger, settings)
        check_tags(tagger.label_names, tagger.folder, *pair)
    for found, pair in zip(subjects, corpora, strict=True):
        result = analysed(Tagger(found.model), *pair, settings, found.name)
        match, total = (
            sum(tag[key] for tag in result["tags"].values()) for key in ("match", "total")
        )
        kept, chance = result["kept_accuracy"], result["random"]["kept_accuracy"]
        yield (
            None,
            result,
            f"tags {100 * result['tagger_accuracy']:.1f} % of {result['test_words']} words, probe "
            f"{100 * result['probe']['accuracy']:.1f} %; {match} of {total} words match; "
            f"{settings.keep} neurons {100 * kept:.1f} % (random ones {100 * chance:.1f} %)",
        )
