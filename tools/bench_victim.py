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
from rich.console import Console
from rich.table import Table

from mindflood.attack.resources.embedded import embedded_encoder
from mindflood.attack.textattack_import import textattack
from mindflood.attack.victim.wrapper import Victim
from mindflood.data.sources import load_examples
from mindflood.data.tasks import get_task

_TEXTATTACK_BATCH = 32  # GoalFunction's model_batch_size


def main() -> None:
    """Time both and print the table."""
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
    _print(medians, same, queries, task.name, arguments.threads)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", help="folder with SST-2's dev.tsv; default: the built-in corpus")
    parser.add_argument("--sentences", type=int, default=12)
    parser.add_argument("--threads", type=int, default=2)
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


def _print(medians: dict[str, float], same: int, queries: int, corpus: str, threads: int) -> None:
    slowest = medians["TextAttack's wrapper"]
    table = Table(title=f"{corpus}: {queries} queries, {threads} threads, MiniLM classifier")
    for column in ("victim", "ms a query (median)", "times faster"):
        table.add_column(column, justify="left" if column == "victim" else "right")
    for name, seconds in medians.items():
        table.add_row(name, f"{1000 * seconds:.2f}", f"{slowest / seconds:.1f}")
    console = Console()
    console.print(table)
    console.print(f"same predictions: {same} of {queries}")


if __name__ == "__main__":
    main()
