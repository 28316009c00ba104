"""Word swaps that a masked language model proposes: BERT-Attack's, and those of BAE and A2T-MLM."""

import itertools
from collections.abc import Iterable
from typing import Any

from mindflood.attack.resources.masked_lm import MaskedLM, Ranking
from mindflood.attack.swaps.combinations import combined
from mindflood.attack.textattack_import import textattack

_utils = textattack.shared.utils


class _MaskedLMSwap(textattack.transformations.WordSwap):
    """Asks a masked language model for the words to put in a word's place.

    Args:
        masked_lm: keeps at least ``max_candidates`` tokens.
        max_candidates: K.
    """

    def __init__(self, masked_lm: MaskedLM, max_candidates: int) -> None:
        super().__init__()
        self.masked_lm = masked_lm
        self.max_candidates = max_candidates

    def _masked(self, text: Any, index: int) -> str:
        mask = self.masked_lm.tokenizer.mask_token
        return str(text.replace_word_at_index(index, mask).text)

    def _tokens(self, ids: Iterable[int]) -> list[str]:
        names: list[str] = self.masked_lm.tokenizer.convert_ids_to_tokens(list(map(int, ids)))
        return names

    def _is_piece(self, token: str, first: bool) -> bool:
        """Whether a token is a piece of a word; ``first``: it would begin the text."""
        kind = self.masked_lm.model.config.model_type
        return bool(_utils.check_if_subword(token, kind, first))

    def extra_repr_keys(self) -> list[str]:
        """Names of the settings that TextAttack prints."""
        return ["max_candidates"]


class BertAttackSwap(_MaskedLMSwap):
    """BERT-Attack's candidates (Li et al. 2020, §3.2), as TextAttack chooses them.

    The text is not masked: the K likeliest tokens at a word's own place come into its place. For a
    word of several sub-words it is the combinations of theirs, the last sub-word's fastest, that
    are one word, and of them the first K. The paper ranks all K^n by perplexity; TextAttack scores
    them all as well, but keeps the first K unsorted. Here the enumeration ends at the K-th.
    """

    def _get_transformations(self, current_text: Any, indices_to_modify: Iterable[int]) -> list:
        (ranking,) = self.masked_lm([current_text.text])
        return [
            current_text.replace_word_at_index(index, word)
            for index in indices_to_modify
            for word in self._candidates(current_text, index, ranking)
            if word != current_text.words[index]
        ]

    def _candidates(self, text: Any, index: int, ranking: Ranking) -> list[str]:
        tokenizer = self.masked_lm.tokenizer
        masked = self.masked_lm.encode(self._masked(text, index))
        if tokenizer.mask_token_id not in masked:
            return []  # behind what the model can read
        start = masked.index(tokenizer.mask_token_id)
        length = len(tokenizer.encode(text.words[index], add_special_tokens=False))
        likeliest = ranking.tokens[start : start + length, : self.max_candidates]
        rows = [self._tokens(row) for row in likeliest]
        if len(rows) != 1:
            words = combined(rows) if rows else iter(())
            return list(itertools.islice(words, self.max_candidates))
        words = (word for word in rows[0] if not self._is_piece(word, index == 0))
        return [word.strip("Ġ") for word in words if _utils.is_one_word(word)]


class BaeSwap(_MaskedLMSwap):
    """BAE-R's candidates (Garg & Ramakrishnan 2020, algorithm 1), as TextAttack chooses them.

    The word is masked, and the K likeliest tokens that are a word come into its place; a piece of a
    word counts as the letters that it has.
    """

    def _get_transformations(self, current_text: Any, indices_to_modify: Iterable[int]) -> list:
        indices = list(indices_to_modify)
        rankings = self.masked_lm([self._masked(current_text, index) for index in indices])
        return [
            current_text.replace_word_at_index(index, word)
            for index, ranking in zip(indices, rankings, strict=True)
            for word in self._candidates(ranking)
            if word != current_text.words[index]
        ]

    def _candidates(self, ranking: Ranking) -> list[str]:
        if len(ranking.places) != 1:
            return []  # the mask is behind what the model can read
        kind = self.masked_lm.model.config.model_type
        first = int(ranking.places[0]) == 1
        words = []
        for token in self._tokens(ranking.tokens[0]):
            piece = self._is_piece(token, first)
            word = _utils.strip_BPE_artifacts(token, kind) if piece else token
            if _utils.is_one_word(word) and not _utils.check_if_punctuations(word):
                words.append(word.strip("Ġ"))
        words = words[: self.max_candidates]
        return [word for word in words if _utils.has_letter(word) and _utils.is_one_word(word)]
