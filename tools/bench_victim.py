"""Seconds a query: mindflood's victim against TextAttack's own wrapper, which pads to 512.

    python tools/bench_victim.py [--data FOLDER_OF_SST2] [--sentences 12] [--threads 2]

Both answer the queries that TextFooler's word ranking makes: a sentence with each of its words
left out, at most 32 texts a call. Calls alternate between the two; medians are over sentences.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from records import Sheet, add_option, numbers, words

from mindflood.attack.resources.embedded import embedded_encoder
from mindflood.attack.textattack_import import textattack
from mindflood.attack.victim.wrapper import Victim
from mindflood.data.sources import load_examples
from mindflood.data.tasks import get_task

_TEXTATTACK_BATCH = 32  # GoalFunction's model_batch_size


def main() -> None:
    """Time both, a row each."""
    arguments = _arguments()
    torch.set_num_threads(arguments.threads)
    task = get_task("sst2" if arguments.data else "corpus")
    examples = load_examples(task, "dev", arguments.data, limit=arguments.sentences, seed=0)
    with tempfile.TemporaryDirectory() as folder:
        _save_classifier(Path(folder))
        victim = Victim(folder)
        stock = textattack.models.wrappers.HuggingFaceModelWrapper(victim.model, victim.tokenizer)
        wrappers: dict[str, Callable] = {
            "TextAttack's wrapper": stock,
            "mindflood's victim": victim,
        }
        times: dict[str, list[float]] = {name: [] for name in wrappers}
        same, queries = 0, 0
        for (text,) in examples.texts:
            calls = _queries(text)
            answers = {}
            for name, wrapper in wrappers.items():
                seconds, answers[name] = _timed(wrapper, calls)
                times[name].append(seconds / len(answers[name]))
            ours, theirs = answers["mindflood's victim"], answers["TextAttack's wrapper"].cpu()
            same += int((ours.argmax(1) == theirs.argmax(1)).sum())
            queries += len(ours)
    medians = {name: statistics.median(seconds) for name, seconds in times.items()}
    columns = (
        words("victim"),
        numbers("ms a query (median)", 2),
        numbers("times the stock's speed", 1),
        numbers("queries", 0),
        numbers("same predictions", 0),
    )
    packages = ["torch", "transformers", "textattack"]
    sheet = Sheet("victim", columns, packages=packages, threads=arguments.threads)
    for name, seconds in medians.items():
        sheet.add(name, 1000 * seconds, medians["TextAttack's wrapper"] / seconds, queries, same)
    sheet.keep(arguments.record)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", help="folder with SST-2's dev.tsv; default: the built-in corpus")
    parser.add_argument("--sentences", type=int, default=12)
    parser.add_argument("--threads", type=int, default=2)
    add_option(parser)
    return parser.parse_args()


def _save_classifier(folder: Path) -> None:
    """The embedded encoder with a two-class head: what it answers does not matter here."""
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    torch.manual_seed(0)
    source = embedded_encoder()
    model = AutoModelForSequenceClassification.from_pretrained(source, num_labels=2).eval()
    model.save_pretrained(folder)
    AutoTokenizer.from_pretrained(source).save_pretrained(folder)


def _queries(text: str) -> list[list[str]]:
    """The sentence without each of its words, in the batches TextAttack makes of them."""
    words = text.split()
    variants = [" ".join(words[:i] + words[i + 1 :]) for i in range(len(words))]
    return [
        variants[start : start + _TEXTATTACK_BATCH]
        for start in range(0, len(variants), _TEXTATTACK_BATCH)
    ]


def _timed(wrapper: Callable, calls: Sequence[list[str]]) -> tuple[float, torch.Tensor]:
    wrapper(calls[0][:1])
    started = time.perf_counter()
    answers = torch.cat([wrapper(call) for call in calls])
    return time.perf_counter() - started, answers


if __name__ == "__main__":
    main()
