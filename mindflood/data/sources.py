"""Examples of a task from the hub, from a folder or file, or from the built-in corpus.

Missing splits have fixed stand-ins, the same for every source:

- no dev: a tenth of train is held out, a fifth where those rows have to serve as test too;
- no train: dev is divided the same way (the rows not held out are train);
- no test with labels: ``test`` means ``dev``;
- a single file that names no split, or the only one that is named: a tenth is test, a tenth dev,
  the rest train.

Which rows are held out depends on a hash of the row's texts alone, so equal rows stay together
and no row is in two parts.
"""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, get_args

import numpy as np

from mindflood.data.labels import Labelled, is_name, label_values, unknown_label
from mindflood.data.parts import Part, parts_of
from mindflood.data.rows import Row, check_texts
from mindflood.data.tasks import Split, Task
from mindflood.data.understood import number_of, question_of, tags_of
from mindflood.errors import UserError
from mindflood.files import user_path
from mindflood.kinds import Kind

HELD_OUT = 0.1


@dataclass(frozen=True)
class Examples:
    """Texts, one tuple of 1 or 2 strings a row, and their labels, int64 [n].

    Of a regression the labels are float64; of a choice the texts are the question and its choices,
    and the label the place of the answer among these; of a tagging the texts are the words, and the
    label a tuple of as many numbers (an object array).
    """

    texts: tuple[tuple[str, ...], ...]
    labels: np.ndarray

    def __len__(self) -> int:
        return len(self.texts)

    def take(self, indices: Sequence[int] | np.ndarray) -> "Examples":
        """The rows of ``indices``, in that order."""
        return Examples(
            tuple(self.texts[i] for i in indices), self.labels[np.asarray(indices, int)]
        )

    def joined(self, other: "Examples") -> "Examples":
        """These rows, and those of ``other`` behind them."""
        return Examples(self.texts + other.texts, np.concatenate([self.labels, other.labels]))

    def sample(self, limit: int | None, seed: int) -> "Examples":
        """At most ``limit`` rows, a random sample drawn from ``seed``, in their order; None: all.

        Raises:
            UserError: the limit is below 1.
        """
        if limit is not None and limit < 1:
            raise UserError(f"limit {limit}: expected at least 1 example, or no limit")
        if limit is None or limit >= len(self):
            return self
        return self.take(np.sort(np.random.default_rng(seed).permutation(len(self))[:limit]))

    def fingerprint(self) -> str:
        """Hash of the texts and labels, in their order: 16 hexadecimal digits."""
        digest = hashlib.sha256()
        # Piece by piece: the texts of a large data set are not to lie in memory thrice.
        for piece in json.JSONEncoder().iterencode([self.texts, self.labels.tolist()]):
            digest.update(piece.encode())
        return digest.hexdigest()[:16]


class _Share(NamedTuple):
    """The rows of a part whose place, a number that their texts decide, is in [low, high)."""

    part: str
    low: float = 0.0
    high: float = 1.0

    @property
    def is_whole(self) -> bool:
        return self.high - self.low == 1.0


class Source:
    """The labelled data of a task; each part is read once, and its labels are decided over all.

    Args:
        data: ``hub``, ``builtin``, or a folder or file; None is what the task itself names, the
            built-in corpus for the task ``corpus`` and the hub for the others.
        own_names: name of class 0, 1, ... of a model, where the labels may be called so
            (:mod:`mindflood.data.labels`).

    Raises:
        UserError: there is no such source.
    """

    def __init__(self, task: Task, data: str | None = None, own_names: Sequence[str] = ()) -> None:
        self.task, self.own_names = task, own_names
        self._parts = parts_of(task, data, own_names)
        self._is_file = data is not None and user_path(data).is_file()
        self._known: dict[str, tuple[list[Row], Examples]] = {}

    def examples(self, split: Split) -> Examples:
        """All rows of a split, after the stand-ins of this module's docstring.

        Raises:
            UserError: names the file and row, what was expected and what to do.
        """
        share = self._share(split)
        found = self._of(share)
        if not len(found):
            raise UserError(
                f"{self._parts[share.part].origin}: no examples for split '{split}' of task "
                f"{self.task.name}; {self._remedy(share)}"
            )
        return found

    def whole(self) -> Examples:
        """All rows of a source that is one file, whatever its name.

        Raises:
            UserError: it is no file, or as :meth:`examples`.
        """
        (name, part), *others = self._parts.items()
        if not self._is_file or others:
            raise UserError(f"{part.origin}: not one file; name a split")
        found = self._of(_Share(name))
        if not len(found):
            raise UserError(f"{part.origin}: no examples of task {self.task.name}; add some")
        return found

    @property
    def file(self) -> Path | None:
        """The file that is all of the source; None where it has several parts, or is no file."""
        return next(iter(self._parts.values())).file if self._is_file else None

    @property
    def has_test(self) -> bool:
        """Whether there are labelled test rows; else ``test`` means ``dev``."""
        return bool({"test", "all"} & self._parts.keys())

    def origin(self, split: Split) -> str:
        """Where the rows of a split are from: a file, or a split of the hub."""
        return self._parts[self._share(split).part].origin

    def described(self, split: Split) -> str:
        """:meth:`origin`, and how it was divided where it was."""
        share = self._share(split)
        return self.origin(split) if share.is_whole else self._divided(share.part)

    def division(self) -> str | None:
        """How a part was divided into splits, with their sizes; None where none was.

        For instance "200 rows of reviews.csv: 160 train, 20 dev, 20 test, by a hash of the text".
        """
        trained = self._share("train")
        return None if trained.is_whole else self._divided(trained.part)

    def _divided(self, part: str) -> str:
        rows, _ = self._understood(part)
        sizes = {
            split: sum(_is_in(row, share) for row in rows)
            for split in get_args(Split)
            if (share := self._share(split)).part == part
        }
        if not self.has_test:
            sizes = {
                f"{split} and test" if split == "dev" else split: size
                for split, size in sizes.items()
                if split != "test"
            }
        counts = ", ".join(f"{size} {split}" for split, size in sizes.items())
        return f"{len(rows)} rows of {self._parts[part].origin}: {counts}, by a hash of the text"

    def _remedy(self, share: _Share) -> str:
        if share.is_whole or not self._understood(share.part)[0]:
            return "add some"
        divided = self._divided(share.part)
        return f"{divided}; add rows, or give a folder with a train, a dev and a test file"

    def _share(self, split: Split) -> _Share:
        """Which rows are a split: the stand-ins of this module's docstring."""
        if split not in get_args(Split):
            raise UserError(f"split '{split}': expected train, dev or test")
        there = self._parts.keys()
        if "all" in there and split not in there:
            bounds = {
                "test": (0.0, HELD_OUT),
                "dev": (HELD_OUT, 2 * HELD_OUT),
                "train": (2 * HELD_OUT, 1.0),
            }
            return _Share("all", *bounds[split])
        if split == "test" and "test" not in there:
            split = "dev"
        if (split in there and {"train", "dev"} <= there) or split == "test":
            return _Share(split)
        divided = next((name for name in ("train", "dev") if name in there), None)
        if divided is None:
            raise UserError(
                f"{self._parts['test'].origin}: only a test part is there; split '{split}' needs a "
                "train or dev file beside it"
            )
        held_out = HELD_OUT if "test" in there else 2 * HELD_OUT
        return _Share(divided, *((0.0, held_out) if split == "dev" else (held_out, 1.0)))

    def _of(self, share: _Share) -> Examples:
        """Rows of a share with their texts stripped and their labels as numbers."""
        rows, examples = self._understood(share.part)
        if share.is_whole:
            return examples
        return examples.take([at for at, row in enumerate(rows) if _is_in(row, share)])

    def _understood(self, name: str) -> tuple[list[Row], Examples]:
        """The rows of a part that are not malformed, and what they mean, at the same places."""
        if name not in self._known:
            part = self._parts[name]
            meaning = self._meaning(part)
            rows, texts, labels = [], [], []
            for row in part.read():
                try:
                    found, label = meaning(row, f"{part.origin}, {row.place()}")
                except UserError as error:
                    part.bad.add(str(error))
                else:
                    rows.append(row)
                    texts.append(found)
                    labels.append(label)
            part.bad.told()
            self._known[name] = rows, Examples(tuple(texts), _array(labels, self.task.kind))
        return self._known[name]

    def _meaning(self, part: Part) -> Callable[[Row, str], tuple[tuple[str, ...], Any]]:
        """What makes texts and label of a row, or refuses it by the name that it is given."""
        task, places = self.task, {}
        if task.kind == "tagging":
            places = {name: place for place, name in enumerate(task.label_names)}
        elif task.kind == "classification":
            labelled = Labelled(part.origin, part.read())
            others = self._other_parts(part, labelled.rows)
            places = label_values(task, labelled, others, self.own_names)

        def meaning(row: Row, where: str) -> tuple[tuple[str, ...], Any]:
            if task.kind == "choice":
                return question_of(row, where), int(row.label)
            if task.kind == "tagging":
                return row.texts, tags_of(task, row, places, where)
            texts = _stripped(task, row)
            check_texts(task.text_columns, texts, where)
            if task.kind == "regression":
                return texts, number_of(task, row, where)
            if row.label not in places:
                raise UserError(f"{where}: {unknown_label(task, row.label)}")
            return texts, places[row.label]

        return meaning

    def _other_parts(self, part: Part, rows: Sequence[Row]) -> list[Labelled]:
        """The parts that tell what the labels of ``part`` count from; none where all are names."""
        if all(is_name(row.label, self.task) for row in rows):
            return []
        others = (other for other in self._parts.values() if other is not part)
        return [Labelled(other.origin, other.read()) for other in others]


def load_examples(
    task: Task,
    split: Split,
    data: str | None = None,
    *,
    limit: int | None = None,
    seed: int = 0,
    whole_file: bool = False,
    own_names: Sequence[str] = (),
) -> Examples:
    """Examples of a split.

    Args:
        data, own_names: as in :class:`Source`.
        limit: at most that many, a random sample drawn from ``seed``, in the order of the source.
        whole_file: where ``data`` is a file, all its rows, whatever the split.

    Raises:
        UserError: names the file and row, what was expected and what to do.
    """
    source = Source(task, data, own_names)
    found = source.whole() if whole_file and source.file is not None else source.examples(split)
    return found.sample(limit, seed)


def dev_is_test(task: Task, data: str | None = None) -> bool:
    """Whether a source has no labelled test rows, so that ``test`` means ``dev``.

    Raises:
        UserError: as :func:`load_examples`, of a source that is not there.
    """
    return not Source(task, data).has_test


def _is_in(row: Row, share: _Share) -> bool:
    return share.is_whole or share.low <= _place_of(row) < share.high


def _place_of(row: Row) -> float:
    """A number in [0, 1) that depends on the row's texts alone."""
    digest = hashlib.blake2b("\x1f".join(row.texts).encode(), digest_size=6).digest()
    return int.from_bytes(digest, "big") / 2**48


def _stripped(task: Task, row: Row) -> tuple[str, ...]:
    """The texts of a row, line breaks read as spaces."""
    found = []
    for text in row.texts:
        for mark in task.line_breaks:
            text = text.replace(mark, " ")
        found.append(text.strip())
    return tuple(found)


def _array(labels: Sequence[Any], kind: Kind) -> np.ndarray:
    """Labels as :class:`Examples` has them."""
    if kind == "tagging":
        found = np.empty(len(labels), object)
        for at, tags in enumerate(labels):
            found[at] = tags
        return found
    return np.array(labels, np.float64 if kind == "regression" else np.int64)
