"""The tagged sentences that a tagger's neurons are looked at with."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mindflood.data.conllu import read_conllu
from mindflood.data.tasks import Task
from mindflood.errors import UserError
from mindflood.files import read_json, user_path

# As Universal Dependencies call the files of a treebank, the one to take first. Without the
# training file the test file is trained on, and the dev file tests.
_TRAINING, _TEST = ("train", "test"), "dev"


@dataclass(frozen=True)
class Tagged:
    """Sentences as words, and the tags of these; ``origin`` is where they are from, in words."""

    sentences: tuple[tuple[str, ...], ...]
    tags: tuple[tuple[str, ...], ...]
    origin: str


def tagged_sentences(data: str | None) -> tuple[Tagged, Tagged]:
    """What a probe is trained on, and what it is tested on.

    Args:
        data: folder with the CoNLL-U files of a treebank.

    Raises:
        UserError: there are no such files, one holds no sentence, or a word has no tag.
    """
    if data is None:
        raise UserError("no tagged sentences; name a folder with CoNLL-U files with --data")
    folder = user_path(data)
    if not folder.is_dir():
        raise UserError(f"{folder}: no such folder; give one with the files of a treebank")
    training = next((found for part in _TRAINING if (found := _file(folder, part))), None)
    test = _file(folder, _TEST)
    if training is None or test is None:
        raise UserError(
            f"{folder}: expected CoNLL-U files NAME-train.conllu (or NAME-test.conllu, which then "
            f"is trained on) and NAME-{_TEST}.conllu"
        )
    return _read(training), _read(test)


def tagging_task(name: str) -> Task:
    """A task of tagging words; its tags are those that the tagger tells apart."""
    return Task(name, ("form",), (), label_column="xpos")


def check_is_tagger(model: str) -> None:
    """Refuse a model that is no token classifier.

    Args:
        model: a folder with a ``config.json``.

    Raises:
        UserError: it is none.
    """
    config = Path(model) / "config.json"
    stated = read_json(config) if config.is_file() else {}
    made = ", ".join(map(str, stated.get("architectures") or ["a model without architecture"]))
    if not made.endswith("ForTokenClassification"):
        raise UserError(
            f"{model}: {made}, no tagger; neurons are analysed of a model that tags words "
            "(…ForTokenClassification)"
        )


def check_tags(known: Sequence[str], model: str, *corpora: Tagged) -> None:
    """Refuse sentences whose tags are not those of the tagger.

    Raises:
        UserError: one is not; the message says which, and where.
    """
    for corpus in corpora:
        counted = Counter(tag for sentence in corpus.tags for tag in sentence)
        for tag, count in counted.items():
            if tag not in known:
                raise UserError(
                    f"{corpus.origin}: {count} words have the tag {tag!r}, which the tagger "
                    f"{model} does not know; give sentences of the treebank that it was trained on"
                )


def _file(folder: Path, part: str) -> Path | None:
    """The one file of a part.

    Raises:
        UserError: there are several.
    """
    found = sorted(folder.glob(f"*{part}.conllu"))
    if len(found) > 1:
        raise UserError(
            f"{folder}: several files of the part {part} ({', '.join(one.name for one in found)}); "
            "give a folder with one treebank"
        )
    return found[0] if found else None


def _read(path: Path) -> Tagged:
    rows = read_conllu(path)
    if not rows:
        raise UserError(f"{path}: no sentence in it; expected CoNLL-U, a word a line")
    tags = tuple(tuple(row.label.split(" ")) for row in rows)
    return Tagged(tuple(row.texts for row in rows), tags, str(path))
