"""The architecture of a classifier, as a Hugging Face ``config.json`` states it."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from mindflood.errors import UserError
from mindflood.files import read_json
from mindflood.kinds import Kind
from mindflood.models.architectures import ARCHITECTURES, Architecture

ACTIVATIONS = ("gelu", "gelu_new", "relu")
_SIZES = (
    "vocab_size",
    "hidden_size",
    "num_hidden_layers",
    "num_attention_heads",
    "intermediate_size",
    "max_position_embeddings",
    "type_vocab_size",
    "num_labels",
    "word_size",
)
_RATES = ("hidden_dropout_prob", "attention_probs_dropout_prob", "head_dropout_prob")
# The ends of the names of Hugging Face's classes; a classifier of one label is a regression.
_KINDS: dict[str, Kind] = {"ForMultipleChoice": "choice", "ForTokenClassification": "tagging"}
ONE_OUTPUT: tuple[Kind, ...] = ("regression", "choice")


@dataclass(frozen=True)
class BertConfig:
    """Sizes and rates of the network; the fields are called as in a BERT's ``config.json``.

    ``embedding_size`` is that of an ELECTRA's words; None is the ``hidden_size``. ``label_names``
    gives the classes in the order of the logits (``id2label``). ``kind`` tells the head, and
    ``choices`` how many texts a question comes with, where the head scores choices: as many as the
    question with the most has. ``head_dropouts`` are the rates of the kinds of head that have one
    of their own, in place of ``classifier_dropout``.
    """

    vocab_size: int = 30522
    hidden_size: int = 768
    embedding_size: int | None = None
    num_hidden_layers: int = 12
    num_attention_heads: int = 12
    intermediate_size: int = 3072
    hidden_act: str = "gelu"
    hidden_dropout_prob: float = 0.1
    attention_probs_dropout_prob: float = 0.1
    classifier_dropout: float | None = None
    max_position_embeddings: int = 512
    type_vocab_size: int = 2
    layer_norm_eps: float = 1e-12
    pad_token_id: int = 0
    initializer_range: float = 0.02
    num_labels: int = 2
    model_type: str = "bert"
    label_names: tuple[str, ...] = ()
    kind: Kind = "classification"
    choices: int = 1
    head_dropouts: tuple[tuple[Kind, float], ...] = ()

    def __post_init__(self) -> None:
        _one_of("model_type", self.model_type, tuple(ARCHITECTURES))
        classes = self.kind not in ONE_OUTPUT
        for name in (*_SIZES, "choices"):
            _at_least(name, getattr(self, name), 2 if name == "num_labels" and classes else 1)
        for name in _RATES:
            _probability(name, getattr(self, name))
        _one_of("hidden_act", self.hidden_act, ACTIVATIONS)
        if self.hidden_size % self.num_attention_heads:
            raise UserError(
                f"hidden_size {self.hidden_size} is not a multiple of num_attention_heads"
                f" {self.num_attention_heads}; mend the configuration"
            )
        if self.word_size > self.hidden_size:
            raise UserError(
                f"embedding_size {self.word_size} above hidden_size {self.hidden_size} is not"
                " supported; choose a model whose words are no wider than its states"
            )
        if not self.label_names:
            names = tuple(f"LABEL_{index}" for index in range(self.num_labels))
            object.__setattr__(self, "label_names", names)
        if len(self.label_names) != self.num_labels:
            raise UserError(
                f"label_names: expected {self.num_labels} names (num_labels),"
                f" got {len(self.label_names)}: {', '.join(self.label_names)}"
            )

    @property
    def architecture(self) -> Architecture:
        """What is its own of this ``model_type``."""
        return ARCHITECTURES[self.model_type]

    @property
    def pools_itself(self) -> bool:
        """Whether the head drops out of the first state and pools it; else the encoder pools."""
        return self.architecture.pooling_head and self.kind in ("classification", "regression")

    @property
    def word_size(self) -> int:
        """Coordinates of a word embedding, which is what the defences perturb."""
        return self.hidden_size if self.embedding_size is None else self.embedding_size

    @property
    def head_dropout_prob(self) -> float:
        """Rate of the dropout before the classifier."""
        rate = dict(self.head_dropouts).get(self.kind, self.classifier_dropout)
        return self.hidden_dropout_prob if rate is None else rate

    @property
    def dropouts_a_layer(self) -> int:
        """Dropouts of token states in a transformer layer; that of attention is another."""
        return 2 if self.architecture.drops_attention else 1

    @property
    def max_length(self) -> int:
        """Longest input in tokens: counted positions start behind the padding index."""
        offset = self.pad_token_id + 1 if self.architecture.counted_positions else 0
        return self.max_position_embeddings - offset

    def first_layers(self, count: int | None) -> "BertConfig":
        """The same network with its first ``count`` transformer layers only; None keeps all.

        Raises:
            UserError: it has fewer.
        """
        if count is None:
            return self
        if not 1 <= count <= self.num_hidden_layers:
            raise UserError(
                f"encoder_layers: expected 1 to {self.num_hidden_layers}, the layers that this"
                f" encoder has, not {count}"
            )
        return replace(self, num_hidden_layers=count)

    def with_dropout(self, rate: float) -> "BertConfig":
        """The same network with one rate for its states, its attention and its head.

        Raises:
            UserError: it is no probability.
        """
        return replace(
            self,
            hidden_dropout_prob=rate,
            attention_probs_dropout_prob=rate,
            classifier_dropout=None,
            head_dropouts=(),
        )

    @classmethod
    def from_folder(cls, folder: str | Path) -> "BertConfig":
        """Read ``folder/config.json``.

        Raises:
            UserError: the file is missing or not JSON, or it describes another architecture.
        """
        path = Path(folder) / "config.json"
        check_no_adapter(Path(folder))
        stated = read_json(path)
        if not isinstance(stated, dict):
            raise UserError(f"{path}: expected an object of configuration keys")
        values = _values(path, stated)
        values |= _labels(path, stated)
        values |= _head(stated, values["num_labels"])
        try:
            return cls(**values)
        except UserError as error:
            raise UserError(f"{path}: {error}") from None
        except TypeError as error:
            raise UserError(f"{path}: a value has the wrong type: {error}") from None


def check_no_adapter(folder: Path) -> None:
    """Say what a folder of a PEFT adapter is, which has the changes of a model alone.

    Raises:
        UserError: it is one.
    """
    if (folder / "config.json").exists() or not (folder / "adapter_config.json").is_file():
        return
    stated = read_json(folder / "adapter_config.json")
    base = stated.get("base_model_name_or_path") if isinstance(stated, dict) else None
    raise UserError(
        f"{folder}: is an adapter (LoRA or the like) of {base or 'a model'}, not a model; put it "
        "into its model with peft's merge_and_unload(), save that with save_pretrained(), and its "
        "tokenizer too"
    )


def _values(path: Path, stated: Mapping[str, Any]) -> dict[str, Any]:
    """The fields that the keys of ``config.json`` give, and the defaults of its architecture.

    Raises:
        UserError: the architecture is unknown, or has a part that is not supported.
    """
    kind = stated.get("model_type", "bert")
    if not isinstance(kind, str) or kind not in ARCHITECTURES:
        known = ", ".join(ARCHITECTURES)
        raise UserError(f"{path}: model_type {kind!r} is not supported; the supported are {known}")
    architecture = ARCHITECTURES[kind]
    for stray, (only, remedy) in architecture.fixed.items():
        if stated.get(stray, only) not in (only, None):
            raise UserError(f"{path}: {stray} {stated[stray]!r} is not supported; {remedy}")
    values: dict[str, Any] = {"model_type": kind, **architecture.defaults}
    for name in (f.name for f in fields(BertConfig)):
        key: str | None = architecture.keys.get(name, name)
        if name == "embedding_size" and not architecture.embedding_size:
            key = None
        if key is not None and key in stated:
            values[name] = stated[key]
        elif key is not None and name in stated:  # Hugging Face reads BERT's names too
            values[name] = stated[name]
    values["head_dropouts"] = tuple(
        (head, stated.get(key, default)) for head, (key, default) in architecture.head_rates.items()
    )
    if values.get("pad_token_id", 0) is None:
        values["pad_token_id"] = architecture.defaults.get("pad_token_id", 0)
    return values


def stated_kind(stated: dict[str, Any], labels: Any) -> Kind:
    """The kind of a head, by the class that a ``config.json`` names.

    Args:
        labels: how many it has.
    """
    named = stated.get("architectures")
    architecture = str(named[0]) if isinstance(named, list) and named else ""
    for end, kind in _KINDS.items():
        if architecture.endswith(end):
            return kind
    return "regression" if labels == 1 else "classification"


def _head(stated: dict[str, Any], labels: Any) -> dict[str, Any]:
    """The kind of the head, and of a choice its one output."""
    kind = stated_kind(stated, labels)
    single = {"num_labels": 1, "label_names": ("score",)} if kind == "choice" else {}
    return {"kind": kind, **single}


def _labels(path: Path, stated: dict[str, Any]) -> dict[str, Any]:
    """The number and names of the classes: ``id2label`` decides, as it does in Hugging Face."""
    names = stated.get("id2label")
    if names is None:
        return {"num_labels": stated.get("num_labels", 2)}
    keys = [str(index) for index in range(len(names))] if isinstance(names, dict) else []
    if not keys or set(keys) != set(names):
        raise UserError(f"{path}: id2label: expected the keys 0, 1, ... with a name each")
    return {"num_labels": len(keys), "label_names": tuple(str(names[key]) for key in keys)}


def _at_least(name: str, value: Any, least: int) -> None:
    if type(value) is not int or value < least:
        raise UserError(f"{name}: expected an integer of at least {least}, got {value!r}")


def _probability(name: str, value: Any) -> None:
    if type(value) not in (int, float) or not 0 <= value < 1:
        raise UserError(f"{name}: expected a probability in [0, 1), got {value!r}")


def _one_of(name: str, value: Any, known: tuple[str, ...]) -> None:
    if value not in known:
        raise UserError(f"{name} {value!r} is not supported; the supported are {', '.join(known)}")
