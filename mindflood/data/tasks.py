"""The table of tasks: columns, labels, splits and attacked sample of each data set.

A user's own data set is a :class:`Task` like these, made of what the user says of it
(:mod:`mindflood.data.own`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from mindflood.errors import UserError, nearest

Split = Literal["train", "dev", "test"]
Format = Literal["tsv", "csv", "jsonl", "parquet", "label text", "class folders", "sentences"]


@dataclass(frozen=True)
class HubSource:
    """Where a task is on the Hugging Face hub.

    ``splits`` lists only those with labels; of a user's own data set it is empty, and asked for.
    """

    path: str
    config: str | None
    splits: Mapping[str, str]


@dataclass(frozen=True)
class BenchmarkFile:
    """A file of the benchmark's own distribution; split ``all`` is divided into three."""

    split: Literal["train", "dev", "test", "all"]
    name: str
    format: Format


@dataclass(frozen=True)
class Task:
    """One text classification task.

    Attributes:
        text_columns: one column, or two for a task on pairs; GLUE's names.
        label_names: name of label 0, 1, ...; the order of the Hugging Face hub.
        attacked_examples: size of the random sample that is attacked, None for the whole split
            (Flooding-X §4.2: 800 for IMDB, AG News and QNLI, all of SST-2 and MRPC).
        attacked_split: GLUE keeps the labels of its test sets: its tasks are attacked on ``dev``.
        column_aliases: other names of a column in the benchmark's own files.
        columns_without_header: columns of the benchmark's files where they have no header line;
            columns of the same name are joined by a space.
        first_label: what the benchmark's own files call label 0, where they use numbers.
        line_breaks: what stands for a line break inside the texts; read as a space.
        hidden_test: the distribution's test file may come without labels.
        own: a user's own data set: tables are quoted, true and false may be labels, and numbers are
            names of classes where some class is called by one.
        own_files: file of a split, where no folder, file or hub is named.
        malformed_tsv: the benchmark's own files have rows that lack cells; they are counted and
            left out, as the field does.
        skip_bad_rows: so is every malformed row, of any file.
    """

    name: str
    text_columns: tuple[str, ...]
    label_names: tuple[str, ...]
    attacked_split: Literal["dev", "test"]
    attacked_examples: int | None = None
    label_column: str = "label"
    hub: HubSource | None = None
    files: tuple[BenchmarkFile, ...] = ()
    column_aliases: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    columns_without_header: tuple[str, ...] = ()
    first_label: int = 0
    line_breaks: tuple[str, ...] = ()
    hidden_test: bool = False
    own: bool = False
    own_files: Mapping[Split, str] = field(default_factory=dict)
    malformed_tsv: bool = False
    skip_bad_rows: bool = False

    @property
    def num_labels(self) -> int:
        """Number of classes."""
        return len(self.label_names)


_SENTIMENT = ("negative", "positive")
_ENTAILMENT = ("entailment", "not_entailment")
_INFERENCE = ("entailment", "neutral", "contradiction")
_PREMISE = {"sentence1": ("premise", "Premise"), "sentence2": ("hypothesis", "Hypothesis")}


def _glue(config: str, *, labelled_test: bool = False) -> HubSource:
    splits = {"train": "train", "dev": "validation"}
    return HubSource("nyu-mll/glue", config, splits | ({"test": "test"} if labelled_test else {}))


def _mnli(name: str, genres: str) -> Task:
    """MNLI, evaluated on the genres of the training set or on others."""
    return Task(
        name=name,
        text_columns=("sentence1", "sentence2"),
        label_names=_INFERENCE,
        attacked_split="dev",
        hub=HubSource("nyu-mll/glue", "mnli", {"train": "train", "dev": f"validation_{genres}"}),
        files=(BenchmarkFile("dev", f"dev_{genres}.tsv", "tsv"),),
        column_aliases=_PREMISE | {"label": ("gold_label",)},
        hidden_test=True,
    )


_ALL = (
    Task(
        name="sst2",
        text_columns=("sentence",),
        label_names=_SENTIMENT,
        attacked_split="dev",
        hub=_glue("sst2"),
        hidden_test=True,
    ),
    Task(
        name="mrpc",
        text_columns=("sentence1", "sentence2"),
        label_names=("not_equivalent", "equivalent"),
        attacked_split="test",
        hub=_glue("mrpc", labelled_test=True),
        files=(
            BenchmarkFile("train", "msr_paraphrase_train.txt", "tsv"),
            BenchmarkFile("test", "msr_paraphrase_test.txt", "tsv"),
        ),
        column_aliases={
            "sentence1": ("#1 String",),
            "sentence2": ("#2 String",),
            "label": ("Quality",),
        },
        hidden_test=True,
    ),
    Task(
        name="qnli",
        text_columns=("question", "sentence"),
        label_names=_ENTAILMENT,
        attacked_split="dev",
        attacked_examples=800,
        hub=_glue("qnli"),
        hidden_test=True,
    ),
    Task(
        name="imdb",
        text_columns=("text",),
        label_names=_SENTIMENT,
        attacked_split="test",
        attacked_examples=800,
        hub=HubSource("stanfordnlp/imdb", None, {"train": "train", "test": "test"}),
        files=(
            BenchmarkFile("train", "train", "class folders"),
            BenchmarkFile("train", "movie_reviews", "class folders"),
            BenchmarkFile("train", "movie_reviews.zip", "class folders"),
            BenchmarkFile("test", "test", "class folders"),
            BenchmarkFile("test", "imdb_1k.txt", "label text"),
        ),
        line_breaks=("<br />",),
    ),
    Task(
        name="ag_news",
        text_columns=("text",),
        label_names=("World", "Sports", "Business", "Sci/Tech"),
        attacked_split="test",
        attacked_examples=800,
        hub=HubSource("fancyzhx/ag_news", None, {"train": "train", "test": "test"}),
        column_aliases={"text": ("content",), "label": ("class",)},
        columns_without_header=("label", "text", "text"),
        first_label=1,
        line_breaks=("\\",),
    ),
    Task(
        name="mr",
        text_columns=("text",),
        label_names=_SENTIMENT,
        attacked_split="test",
        hub=HubSource(
            "cornell-movie-review-data/rotten_tomatoes",
            None,
            {"train": "train", "dev": "validation", "test": "test"},
        ),
        files=(BenchmarkFile("all", "rt-polarity.pos", "sentences"),),
    ),
    Task(
        name="rte",
        text_columns=("sentence1", "sentence2"),
        label_names=_ENTAILMENT,
        attacked_split="dev",
        hub=_glue("rte"),
        hidden_test=True,
    ),
    Task(
        name="cola",
        text_columns=("sentence",),
        label_names=("unacceptable", "acceptable"),
        attacked_split="dev",
        hub=_glue("cola"),
        columns_without_header=("source", "label", "star", "sentence"),
        hidden_test=True,
    ),
    Task(
        name="yelp",
        text_columns=("text",),
        label_names=_SENTIMENT,
        attacked_split="test",
        attacked_examples=800,
        hub=HubSource("fancyzhx/yelp_polarity", None, {"train": "train", "test": "test"}),
        columns_without_header=("label", "text"),
        first_label=1,
        line_breaks=("\\n",),
    ),
    Task(
        name="qqp",
        text_columns=("question1", "question2"),
        label_names=("not_duplicate", "duplicate"),
        attacked_split="dev",
        hub=_glue("qqp"),
        column_aliases={"label": ("is_duplicate",)},
        hidden_test=True,
        malformed_tsv=True,
    ),
    _mnli("mnli", "matched"),
    _mnli("mnli_mismatched", "mismatched"),
    Task(
        name="wnli",
        text_columns=("sentence1", "sentence2"),
        label_names=("not_entailment", "entailment"),
        attacked_split="dev",
        hub=_glue("wnli"),
        hidden_test=True,
    ),
    Task(
        name="ax",  # GLUE's diagnostic set: its labels are in the file of its authors alone
        text_columns=("sentence1", "sentence2"),
        label_names=_INFERENCE,
        attacked_split="test",
        files=(BenchmarkFile("test", "diagnostic-full.tsv", "tsv"),),
        column_aliases=_PREMISE | {"label": ("Label",)},
        hidden_test=True,
    ),
    Task(
        name="corpus",
        text_columns=("text",),
        label_names=_SENTIMENT,
        attacked_split="test",
    ),
)

TASKS: Mapping[str, Task] = {task.name: task for task in _ALL}


def get_task(name: str) -> Task:
    """The task of that name.

    Raises:
        UserError: there is none; the nearest name is suggested.
    """
    if name in TASKS:
        return TASKS[name]
    raise UserError(f"task '{name}': no such task{nearest(name, TASKS)}")
