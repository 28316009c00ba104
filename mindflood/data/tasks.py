"""The table of tasks: columns, labels, splits and attacked sample of each data set.

A user's own data set is a :class:`Task` like these, made of what the user says of it
(:mod:`mindflood.data.own`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from mindflood.errors import UserError, nearest
from mindflood.kinds import Kind

Split = Literal["train", "dev", "test"]
Format = Literal[
    "tsv", "csv", "jsonl", "parquet", "label text", "class folders", "sentences", "conllu"
]


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
    """One task: what a row is, what it is labelled with, and where rows are.

    Attributes:
        text_columns: one column, or two for a task on pairs; GLUE's names.
        label_names: name of label 0, 1, ...; the order of the Hugging Face hub. Of a regression or
            a choice the name of the one output.
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
        kind: what is decided about a row.
        metrics: that the benchmark judges by, the first one above the others.
        marks: what stands before question and choice in a RoBERTa, which then has one separator
            between them.
        pairs_of: a ranking is made of the labelled pairs of this task.
        entailed, not_entailed: for a ranking: what the labels are called there, in lower case.
        ranks_all: a ranking sets an entailed text against all others of its question, not one.
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
    kind: Kind = "classification"
    metrics: tuple[str, ...] = ("accuracy",)
    marks: tuple[str, str] | None = None
    pairs_of: str | None = None
    entailed: tuple[str, ...] = ()
    not_entailed: tuple[str, ...] = ()
    ranks_all: bool = False

    @property
    def num_labels(self) -> int:
        """Number of classes, of outputs where there are none."""
        return len(self.label_names)


_SENTIMENT = ("negative", "positive")
_ENTAILMENT = ("entailment", "not_entailment")
_INFERENCE = ("entailment", "neutral", "contradiction")
_PREMISE = {"sentence1": ("premise", "Premise"), "sentence2": ("hypothesis", "Hypothesis")}
_SCORE = ("score",)
# The Penn Treebank's tags and those that the English Web Treebank adds to them.
_PENN_TAGS = (
    "$", "#", "''", ",", "-LRB-", "-RRB-", ".", ":", "ADD", "AFX", "CC", "CD", "DT", "EX", "FW",
    "GW", "HYPH", "IN", "JJ", "JJR", "JJS", "LS", "MD", "NFP", "NN", "NNP", "NNPS", "NNS", "PDT",
    "POS", "PRP", "PRP$", "RB", "RBR", "RBS", "RP", "SYM", "TO", "UH", "VB", "VBD", "VBG", "VBN",
    "VBP", "VBZ", "WDT", "WP", "WP$", "WRB", "XX", "``",
)  # fmt: skip


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


def _questions(
    name: str, path: str, config: str | None, attacked_split: Literal["dev", "test"]
) -> Task:
    """A task of questions with choices, of which one is right."""
    splits: dict[str, str] = {"train": "train", "dev": "validation"}
    if attacked_split == "test":
        splits["test"] = "test"
    return Task(
        name=name,
        text_columns=("question", "choices"),
        label_names=_SCORE,
        label_column="answerKey",
        attacked_split=attacked_split,
        hub=HubSource(path, config, splits),
        files=_question_files(config),
        hidden_test=True,
        kind="choice",
        marks=("Q: ", "A: "),
    )


def _question_files(config: str | None) -> tuple[BenchmarkFile, ...]:
    """The benchmarks' own names: of ARC its ``config``, of CommonsenseQA the random split."""
    if config is None:
        return (
            BenchmarkFile("train", "train_rand_split.jsonl", "jsonl"),
            BenchmarkFile("dev", "dev_rand_split.jsonl", "jsonl"),
        )
    return (
        BenchmarkFile("train", f"{config}-Train.jsonl", "jsonl"),
        BenchmarkFile("dev", f"{config}-Dev.jsonl", "jsonl"),
        BenchmarkFile("test", f"{config}-Test.jsonl", "jsonl"),
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
        metrics=("accuracy", "f1"),
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
        metrics=("matthews", "accuracy"),
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
        metrics=("accuracy", "f1"),
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
    Task(
        name="stsb",
        text_columns=("sentence1", "sentence2"),
        label_names=_SCORE,
        label_column="score",
        attacked_split="dev",
        hub=_glue("stsb"),
        column_aliases={"score": ("label",)},
        hidden_test=True,
        kind="regression",
        metrics=("pearson", "spearman"),
    ),
    _questions("arc_easy", "allenai/ai2_arc", "ARC-Easy", "test"),
    _questions("arc_challenge", "allenai/ai2_arc", "ARC-Challenge", "test"),
    _questions("commonsense_qa", "tau/commonsense_qa", None, "dev"),
    Task(
        name="qnli_ranking",
        text_columns=("question", "sentence"),
        label_names=_SCORE,
        attacked_split="dev",
        hub=_glue("qnli"),
        hidden_test=True,
        kind="choice",
        pairs_of="qnli",
        entailed=("entailment", "0"),
        not_entailed=("not_entailment", "1"),
    ),
    Task(
        name="wnli_ranking",
        text_columns=("sentence1", "sentence2"),
        label_names=_SCORE,
        attacked_split="dev",
        hub=_glue("wnli"),
        hidden_test=True,
        kind="choice",
        pairs_of="wnli",
        entailed=("entailment", "1"),
        not_entailed=("not_entailment", "0"),
        ranks_all=True,
    ),
    Task(
        name="pos",
        text_columns=("form",),
        label_names=_PENN_TAGS,
        label_column="xpos",
        attacked_split="test",
        files=(
            BenchmarkFile("train", "en_ewt-ud-train.conllu", "conllu"),
            # Without the training file the test file is trained on, and dev tests, as always.
            BenchmarkFile("train", "en_ewt-ud-test.conllu", "conllu"),
            BenchmarkFile("test", "en_ewt-ud-dev.conllu", "conllu"),
        ),
        kind="tagging",
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
