"""Texts to token ids by the ``tokenizers`` library alone, equal to transformers' AutoTokenizer."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from tokenizers import AddedToken, Tokenizer, normalizers, pre_tokenizers, processors
from tokenizers.implementations import BertWordPieceTokenizer, ByteLevelBPETokenizer
from tokenizers.models import BPE, WordPiece

from mindflood.data.sources import Examples
from mindflood.errors import UserError
from mindflood.files import read_json

ROBERTA_SPECIAL = ("<s>", "</s>", "<unk>", "<pad>")


@dataclass(frozen=True)
class FastTokenizer:
    """A tokenizer and the id that fills rows up; neither truncates nor pads by itself."""

    tokenizer: Tokenizer
    pad_id: int

    @property
    def size(self) -> int:
        """The largest id + 1: every id is below."""
        return 1 + max(self.tokenizer.get_vocab().values())


@dataclass(frozen=True)
class Encoded:
    """Rows of different lengths, laid end to end.

    Attributes:
        input_ids: int32 [total], row i at ``offsets[i]:offsets[i + 1]``.
        token_type_ids: int32 [total], 1 for the second text of a pair where the encoder has
            segments.
        offsets: int64 [n + 1].
        pad_id: id that fills rows up.
        max_length: rows are at most that long, special tokens included.
    """

    input_ids: np.ndarray
    token_type_ids: np.ndarray
    offsets: np.ndarray
    pad_id: int
    max_length: int

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @property
    def lengths(self) -> np.ndarray:
        """Tokens of each row, special tokens included, int64 [n]."""
        return np.diff(self.offsets)

    def padded(self, rows: np.ndarray, length: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Ids, mask and segment ids of ``rows`` filled up to ``length``; int32 [len(rows), length].

        A filled-up place has the pad id, mask 0 and segment 0.
        """
        places = np.arange(length)
        mask = places < self.lengths[rows, None]
        source = np.where(mask, self.offsets[rows, None] + places, 0)
        ids = np.where(mask, self.input_ids[source], np.int32(self.pad_id))
        segments = np.where(mask, self.token_type_ids[source], np.int32(0))
        return ids, mask.astype(np.int32), segments

    def targets(self, labels: np.ndarray, rows: np.ndarray, length: int) -> np.ndarray:
        """The labels of ``rows``: int32 [len(rows)] classes, or float32 numbers of a regression."""
        chosen = labels[rows]
        return chosen.astype(np.float32 if chosen.dtype.kind == "f" else np.int32)


def load_tokenizer(folder: str | Path) -> FastTokenizer:
    """The tokenizer of a Hugging Face folder.

    Reads ``tokenizer.json``, else ``vocab.txt`` (BERT, DistilBERT, ELECTRA, MPNet), else
    ``vocab.json`` with ``merges.txt`` (RoBERTa); ``tokenizer_config.json`` decides about case as in
    transformers.

    Raises:
        UserError: none of these files is there, or one is corrupt.
    """
    folder = Path(folder)
    settings_file = folder / "tokenizer_config.json"
    settings = read_json(settings_file) if settings_file.exists() else {}
    try:
        tokenizer = _read(folder, settings)
    except UserError:
        raise
    except Exception as error:  # the library raises bare Exception for every malformed file
        raise UserError(
            f"{folder}: the tokenizer's files are corrupt ({error}); download them again"
        ) from error
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return FastTokenizer(tokenizer, _pad_id(folder, tokenizer, settings))


def encode(examples: Examples, tokenizer: FastTokenizer, max_length: int) -> Encoded:
    """Token ids of each example, cut to ``max_length`` (of a pair, the longer text first).

    Raises:
        UserError: ``max_length`` leaves no room for a token of each text.
    """
    texts_a_row = len(examples.texts[0]) if len(examples) else 1
    special = tokenizer.tokenizer.num_special_tokens_to_add(texts_a_row == 2)
    if max_length < special + texts_a_row:
        raise UserError(
            f"max_length {max_length}: expected at least {special + texts_a_row} "
            f"({special} special tokens and one of each text)"
        )
    tokenizer.tokenizer.enable_truncation(max_length, strategy="longest_first")
    rows: Sequence[Any] = (
        examples.texts if texts_a_row == 2 else [text for (text,) in examples.texts]
    )
    encodings = tokenizer.tokenizer.encode_batch(rows)
    tokenizer.tokenizer.no_truncation()
    offsets = np.zeros(len(encodings) + 1, np.int64)
    np.cumsum([len(encoding) for encoding in encodings], out=offsets[1:])

    def flat(rows: list[list[int]]) -> np.ndarray:
        return np.fromiter(chain.from_iterable(rows), np.int32, offsets[-1])

    return Encoded(
        flat([encoding.ids for encoding in encodings]),
        flat([encoding.type_ids for encoding in encodings]),
        offsets,
        tokenizer.pad_id,
        max_length,
    )


def _read(folder: Path, settings: dict[str, Any]) -> Tokenizer:
    if (folder / "tokenizer.json").exists():
        return _as_configured(Tokenizer.from_file(str(folder / "tokenizer.json")), settings)
    if (folder / "vocab.txt").exists():
        return _word_piece(folder / "vocab.txt", settings)
    if (folder / "vocab.json").exists() and (folder / "merges.txt").exists():
        return _byte_level(folder, settings)
    raise UserError(
        f"{folder}: no tokenizer; expected tokenizer.json, or vocab.txt, or vocab.json and "
        "merges.txt"
    )


def _as_configured(tokenizer: Tokenizer, settings: dict[str, Any]) -> Tokenizer:
    """Where both files speak of case and accents, transformers follows the configuration."""
    normalizer = tokenizer.normalizer
    if type(normalizer).__name__ == "BertNormalizer":
        normalizer.lowercase = settings.get("do_lower_case", normalizer.lowercase)
        normalizer.strip_accents = settings.get("strip_accents", normalizer.strip_accents)
        normalizer.handle_chinese_chars = settings.get(
            "tokenize_chinese_chars", normalizer.handle_chinese_chars
        )
        tokenizer.normalizer = normalizer
    return tokenizer


def _word_piece(vocabulary: Path, settings: dict[str, Any]) -> Tokenizer:
    words = WordPiece.read_file(str(vocabulary))
    normalizer = {
        "lowercase": settings.get("do_lower_case", True),
        "strip_accents": settings.get("strip_accents"),
        "handle_chinese_chars": settings.get("tokenize_chinese_chars", True),
    }
    if "[CLS]" not in words and "<s>" in words:
        return _mpnet(words, normalizers.BertNormalizer(**normalizer))
    return BertWordPieceTokenizer(words, **normalizer)._tokenizer


def _mpnet(words: dict[str, int], normalizer: Any) -> Tokenizer:
    """BERT's words between RoBERTa's tokens: ``<s> A </s>``, or ``<s> A </s></s> B </s>``."""
    tokenizer = Tokenizer(WordPiece(words, unk_token="[UNK]", max_input_chars_per_word=100))
    tokenizer.normalizer = normalizer
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    special = [token for token in ("<s>", "</s>", "[UNK]", "<pad>") if token in words]
    tokenizer.add_special_tokens([*special, AddedToken("<mask>", lstrip=True)])
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s>:0 $A:0 </s>:0",
        pair="<s>:0 $A:0 </s>:0 </s>:0 $B:0 </s>:0",
        special_tokens=[(token, words[token]) for token in ("<s>", "</s>")],
    )
    return tokenizer


def _byte_level(folder: Path, settings: dict[str, Any]) -> Tokenizer:
    prefix_space = settings.get("add_prefix_space", False)
    vocabulary, merges = BPE.read_file(str(folder / "vocab.json"), str(folder / "merges.txt"))
    tokenizer = ByteLevelBPETokenizer(vocabulary, merges, add_prefix_space=prefix_space)._tokenizer
    tokenizer.add_special_tokens([*ROBERTA_SPECIAL, AddedToken("<mask>", lstrip=True)])
    tokenizer.post_processor = processors.RobertaProcessing(
        ("</s>", tokenizer.token_to_id("</s>")),
        ("<s>", tokenizer.token_to_id("<s>")),
        add_prefix_space=prefix_space,
    )
    return tokenizer


def _pad_id(folder: Path, tokenizer: Tokenizer, settings: dict[str, Any]) -> int:
    named = settings.get("pad_token")
    if isinstance(named, dict):
        named = named.get("content")
    for token in (named, "[PAD]", "<pad>"):
        if token and (pad_id := tokenizer.token_to_id(token)) is not None:
            return pad_id
    raise UserError(f"{folder}: the vocabulary has no padding token ([PAD] or <pad>)")
