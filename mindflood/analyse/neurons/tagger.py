"""A tagger whose hidden states are looked at: a Hugging Face token classifier."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from transformers import AutoModelForTokenClassification, AutoTokenizer
from transformers.data.data_collator import pad_without_fast_tokenizer_warning

from mindflood.analyse.neurons.activations import Activations
from mindflood.attack.victim.folder import check_tokenizer
from mindflood.errors import UserError
from mindflood.models.tokenizer_files import check_vocabulary
from mindflood.progress import Display

Subwords = Literal["last", "first", "average"]
_AT_ONCE = 32  # sentences in a batch
_BEHIND_PADDING = ("roberta", "xlm-roberta", "camembert", "mpnet")  # where positions begin
_UNBOUNDED = int(1e29)  # tokenizers without a maximum carry a number above this


@dataclass(frozen=True)
class Words:
    """The words of a corpus that the tagger saw whole, and what went on in it.

    Attributes:
        places: int64 ``[words, 2]``: sentence, and word in it, in the order of the corpus.
        activations: of all layers, the embeddings first: float32 ``[words, (L + 1)·d]``.
        predictions: int64 ``[words]``: the tagger's answer at a word's first sub-word.
    """

    places: np.ndarray
    activations: Activations
    predictions: np.ndarray


class Tagger:
    """A token classifier in evaluation mode.

    Args:
        folder: a Hugging Face folder with ``config.json``, safetensors weights and a tokenizer.

    Raises:
        UserError: it is no such folder, or its weights lack a part.
    """

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.model = _load_model(folder).to(self.device).eval()
        self.tokenizer = _load_tokenizer(folder)
        rows = int(self.model.get_input_embeddings().weight.shape[0])
        check_vocabulary(folder, 1 + max(self.tokenizer.get_vocab().values(), default=-1), rows)
        config = self.model.config
        self.layers, self.width = 1 + int(config.num_hidden_layers), int(config.hidden_size)
        self.label_names = tuple(str(config.id2label[at]) for at in range(config.num_labels))
        self._longest = _longest(self.tokenizer, config)

    @property
    def neurons(self) -> int:
        """(L + 1)·d: neuron ``layer·d + unit``, layer 0 being the embeddings."""
        return self.layers * self.width

    def words(self, sentences: Sequence[Sequence[str]], subwords: Subwords, title: str) -> Words:
        """What every word of the sentences does to the neurons.

        Left out are words of which the tokenizer leaves nothing and those that reach beyond the
        tagger's length.

        Args:
            subwords: which of a word's sub-words stand for it.
            title: of the progress.
        """
        encoded = self.encode(sentences)
        spans = [word_spans(one) for one in encoded.encodings]
        first = np.concatenate([[0], np.cumsum([len(found) for found in spans])]).astype(np.int64)
        places = [np.column_stack((np.full(len(s), at), s[:, 0])) for at, s in enumerate(spans)]
        activations = Activations(int(first[-1]), self.neurons)
        predictions = np.empty(first[-1], np.int64)
        with Display(title, len(spans), 0, seconds_between_lines=30) as progress:
            for batch in _batches([len(one) for one in encoded.encodings]):
                states, scores = self._states(encoded, batch)
                for row, sentence in enumerate(batch):
                    rows = slice(first[sentence], first[sentence + 1])
                    found = spans[sentence]
                    activations.write(rows.start, pooled(states[:, row], found, subwords))
                    predictions[rows] = scores[row, found[:, 1]].argmax(1)
                progress.advance("", len(batch))
        return Words(np.concatenate(places), activations, predictions)

    def encode(self, sentences: Sequence[Sequence[str]]) -> Any:
        """The fast tokenizer's output for sentences that come as words, cut to the model."""
        return self.tokenizer(
            [list(words) for words in sentences],
            is_split_into_words=True,
            truncation=True,
            max_length=self._longest,
        )

    def _states(self, encoded: Any, batch: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
        """Hidden states ``[L + 1, B, T, d]`` and logits ``[B, T, tags]``, both float32.

        Raises:
            UserError: one is not finite.
        """
        some = {name: [values[at] for at in batch] for name, values in encoded.items()}
        padded = pad_without_fast_tokenizer_warning(self.tokenizer, some, return_tensors="pt")
        with torch.inference_mode():
            found = self.model(**padded.to(self.device), output_hidden_states=True)
        states = torch.stack(found.hidden_states).float().cpu().numpy()
        scores = found.logits.float().cpu().numpy()
        if not (np.isfinite(states).all() and np.isfinite(scores).all()):
            raise UserError(
                f"{self.folder}: its activations are no finite numbers; its training may have "
                "diverged: see the losses in the run's trace.jsonl"
            )
        return states, scores


def word_spans(encoding: Any) -> np.ndarray:
    """Where the sub-words of each word are: int64 ``[words, 3]``, word, first, behind the last.

    Args:
        encoding: of the fast tokenizer, for one sentence that came as words.
    """
    rest = [word for more in encoding.overflowing for word in more.word_ids if word is not None]
    cut = min(rest, default=None)
    spans: dict[int, list[int]] = {}
    for token, word in enumerate(encoding.word_ids):
        if word is not None and (cut is None or word < cut):
            spans.setdefault(word, [word, token, token])[2] = token + 1
    return np.array(list(spans.values()), np.int64).reshape(-1, 3)


def pooled(states: np.ndarray, spans: np.ndarray, subwords: Subwords) -> np.ndarray:
    """One row a word, of its last or first sub-word or the average of all.

    Args:
        states: float32 ``[L + 1, T, d]``, of one sentence.
        spans: int64 ``[words, 3]`` of :func:`word_spans`.

    Returns:
        float32 ``[words, (L + 1)·d]``.
    """
    if subwords == "average":
        rows = [states[:, first:behind].mean(axis=1) for _, first, behind in spans]
        found = np.stack(rows) if rows else np.zeros((0, *states[:, 0].shape), np.float32)
    else:
        tokens = spans[:, 1] if subwords == "first" else spans[:, 2] - 1
        found = states[:, tokens].swapaxes(0, 1)
    return found.reshape(len(spans), states.shape[0] * states.shape[2])


def _batches(lengths: Sequence[int]) -> Iterator[list[int]]:
    """Sentences of about the same length, the longest first: what is too large fails at once."""
    order = sorted(range(len(lengths)), key=lambda at: -lengths[at])
    for start in range(0, len(order), _AT_ONCE):
        yield order[start : start + _AT_ONCE]


def _load_model(folder: str) -> Any:
    try:
        model, report = AutoModelForTokenClassification.from_pretrained(
            folder,
            use_safetensors=True,
            trust_remote_code=False,
            local_files_only=True,
            output_loading_info=True,
            dtype=torch.float32,
        )
    except Exception as error:  # safetensors, JSON, shapes, unknown architectures: all the user's
        raise UserError(f"{folder}: cannot be loaded as a tagger: {_line(error)}") from error
    if missing := sorted(report["missing_keys"]):
        raise UserError(
            f"{folder}: the weights lack {', '.join(missing[:3])}: this is not a trained tagger"
        )
    return model


def _load_tokenizer(folder: str) -> Any:
    check_tokenizer(Path(folder))
    try:
        tokenizer = AutoTokenizer.from_pretrained(
            folder, trust_remote_code=False, local_files_only=True, add_prefix_space=True
        )
    except Exception as error:
        raise UserError(f"{folder}: its tokenizer cannot be loaded: {_line(error)}") from error
    if not tokenizer.is_fast:
        raise UserError(
            f"{folder}: its tokenizer does not tell which word a sub-word is of; save it with a "
            "tokenizer.json"
        )
    return tokenizer


def _longest(tokenizer: Any, config: Any) -> int:
    """Most tokens the model takes: its tokenizer's maximum and its position embeddings."""
    positions = int(getattr(config, "max_position_embeddings", 512))
    if config.model_type in _BEHIND_PADDING:
        positions -= config.pad_token_id + 1
    longest = tokenizer.model_max_length
    return int(min(positions, 512 if longest > _UNBOUNDED else longest))


def _line(error: BaseException) -> str:
    return " ".join((str(error) or type(error).__name__).split())[:300]
