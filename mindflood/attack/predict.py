"""``mindflood predict``: what a model answers to a text, asked as an attack asks it."""

import argparse
import json
import sys
from collections.abc import Iterator

from mindflood.attack.victim.folder import model_folder
from mindflood.data.own import texts_of
from mindflood.errors import UserError
from mindflood.files import expanded, user_path
from mindflood.terminal import say
from mindflood.visible import visible_line

Text = str | tuple[str, ...]  # one text, or the two of a pair

EPILOG = """examples:
  mindflood predict runs/demo/flooding-x-seed0 "a film that I will see again"
  mindflood predict MODEL --pair "He left." "He is gone."
  mindflood predict MODEL --json < texts.txt
  mindflood predict MODEL --data new.csv --text review

Without a text, standard input is read: a text a line, a pair parted by a tab."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of ``mindflood predict``."""
    parser.add_argument(
        "model", type=expanded, metavar="MODEL", help="Hugging Face folder, RUN folder or hub id"
    )
    parser.add_argument("texts", nargs="*", metavar="TEXT", help="what to classify")
    parser.add_argument(
        "--pair",
        nargs=2,
        action="append",
        default=[],
        metavar=("FIRST", "SECOND"),
        help="two texts that belong together, for a model of pairs; may be given again",
    )
    parser.add_argument(
        "--data",
        type=user_path,
        metavar="FILE",
        help="a file of texts: CSV, TSV, JSON lines or Parquet, each also .gz",
    )
    parser.add_argument(
        "--text", nargs="+", metavar="COLUMN", help="its column of texts, or two for pairs"
    )
    parser.add_argument(
        "--skip-bad-rows", action="store_true", help="malformed rows of it are counted and left out"
    )
    parser.add_argument(
        "--json", action="store_true", help="an object a line: text, label, probabilities"
    )


def run(args: argparse.Namespace) -> int:
    """Print a line a text: the label, its probability, and the text."""
    model = model_folder(args.model)  # what is no classifier is refused before anything is loaded
    texts: list[Text] = [*args.texts, *map(tuple, args.pair), *_of_file(args)]
    texts = texts or list(_lines())
    if not texts:
        raise UserError("predict: no text; give one behind the model, or lines on standard input")
    from mindflood.attack.victim.wrapper import Victim

    victim = Victim(model)
    with victim.asked():
        probabilities = victim(texts).softmax(dim=1).tolist()
    for text, row in zip(texts, probabilities, strict=True):
        best = max(range(len(row)), key=row.__getitem__)
        label = victim.label_names[best]
        if args.json:
            named = dict(zip(victim.label_names, row, strict=True))
            say(json.dumps({"text": text, "label": label, "probabilities": named}))
        else:
            shown = text if isinstance(text, str) else " | ".join(text)
            say(f"{visible_line(label)}  {row[best]:.3f}  {visible_line(shown)}")
    return 0


def _of_file(args: argparse.Namespace) -> list[Text]:
    if (args.data is None) != (args.text is None):
        raise UserError("predict: --data FILE and --text COLUMN belong together; give both")
    if args.data is None:
        return []
    rows = texts_of(args.data, args.text, skip_bad_rows=args.skip_bad_rows)
    return [row[0] if len(row) == 1 else row for row in rows]


def _lines() -> Iterator[Text]:
    """The lines of standard input that are not empty; one with a tab is a pair."""
    try:
        for line in sys.stdin:
            if line := line.rstrip("\r\n"):
                first, tab, second = line.partition("\t")
                yield (first, second) if tab else line
    except UnicodeDecodeError as error:
        raise UserError(
            f"standard input: expected text in {sys.stdin.encoding}, found the byte "
            f"{error.object[error.start]:#04x}; convert it with iconv"
        ) from error
