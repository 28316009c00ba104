"""Penn Treebank tags of a text's words: a hidden Markov model of two tags over a lexicon.

What tags a word can have, and how often, comes from WordNet's counts, LemmInflect's forms and the
word's ending; which tags follow each other and what function words are was counted once
(``tools/make_tagger.py``). So every machine tags alike. Words come as TextAttack divides a text,
without punctuation.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from functools import cache, lru_cache

import numpy as np

from mindflood.attack.resources.inflection import BASE_TAGS, PART_OF, readings
from mindflood.attack.resources.relations import known, uses
from mindflood.attack.resources.shipped import read_lines

EDGE = "^"  # the tag before the first word and behind the last
RESOURCES = ("tagger", "relations")
_SEEN_ALONE = 8.0  # what a tag's own frequency weighs beside that of the pair
_FUNCTION, _OTHER = 1.0, 10.0  # what the lexicon weighs beside the counts, in uses of the word
_NAME = 0.03  # of the uses of any word, that it is a name
# Of a base form's uses, those in each of its forms.
_BASE_SHARES = {"NN": 0.75, "JJ": 0.75, "RB": 0.75, "VB": 0.275, "VBP": 0.225}
_OTHER_FORMS = 0.2
_ONLY_LISTED, _ONLY_KNOWN = 0.1, 0.3  # uses that the counts have missed
_PARTICIPLES = 0.3  # uses as an adjective, for one as a participle
# Tags of unknown words, by the first ending that fits.
_ENDINGS: tuple[tuple[str, Mapping[str, float]], ...] = (
    ("ly", {"RB": 0.95, "JJ": 0.05}),
    ("ing", {"VBG": 0.6, "NN": 0.2, "JJ": 0.2}),
    ("ed", {"VBD": 0.4, "VBN": 0.35, "JJ": 0.25}),
    *((end, {"NN": 1.0}) for end in ("ness", "tion", "ism", "ity", "ment")),
    *((end, {"JJ": 1.0}) for end in ("less", "ful", "ous", "ive", "able", "ible")),
    ("al", {"JJ": 0.7, "NN": 0.2, "NNP": 0.1}),
    ("ic", {"JJ": 0.8, "NN": 0.1, "NNP": 0.1}),
    ("ish", {"JJ": 0.9, "NNP": 0.1}),
    ("est", {"JJS": 0.7, "NN": 0.3}),
    ("y", {"JJ": 0.4, "NN": 0.2, "NNP": 0.4}),
    ("s", {"NNS": 0.6, "NNP": 0.35, "VBZ": 0.05}),
    ("", {"NN": 0.4, "NNP": 0.5, "JJ": 0.08, "VB": 0.02}),
)


def tagged(words: Sequence[str]) -> tuple[str, ...]:
    """The likeliest tags of a text's words together (Viterbi's algorithm), one a word."""
    return _tagged(tuple(word.lower() for word in words))


def certainties(words: Sequence[str]) -> tuple[float, ...]:
    """Of each word's likeliest tag, the probability of its part of speech, 0 to 1, one a word.

    Of all sequences of tags by the same model (the forward-backward algorithm).
    """
    return _certainties(tuple(word.lower() for word in words))


def part_of_speech(tag: str) -> str:
    """WordNet's letter for a tag, or the tag itself where it is of no content word."""
    return PART_OF.get(tag, "n" if tag == "NNP" else tag)


@lru_cache(maxsize=4096)
def _tagged(words: tuple[str, ...]) -> tuple[str, ...]:
    follows = _follows()
    best: dict[str, tuple[float, tuple[str, ...]]] = {EDGE: (0.0, ())}
    for word in words:
        best = {
            tag: max((score + follows(last, tag), path) for last, (score, path) in best.items())
            for tag in tag_scores(word)
        }
        for tag, score in tag_scores(word).items():
            total, path = best[tag]
            best[tag] = (total + score, (*path, tag))
    return max((score + follows(last, EDGE), path) for last, (score, path) in best.items())[1]


@lru_cache(maxsize=4096)
def _certainties(words: tuple[str, ...]) -> tuple[float, ...]:
    scores = [tag_scores(word) for word in words]
    before = _sums(scores)
    behind = _sums(scores[::-1], backwards=True)[::-1]
    found = []
    for tag, ahead, back, here in zip(_tagged(words), before, behind, scores, strict=True):
        # The word's own score is in both sums.
        odds = {
            t: math.exp(ahead[t] + back[t] - here[t] - ahead[tag] - back[tag] + here[tag])
            for t in here
        }
        part = part_of_speech(tag)
        found.append(
            sum(o for t, o in odds.items() if part_of_speech(t) == part) / sum(odds.values())
        )
    return tuple(found)


def _sums(
    scores: Sequence[Mapping[str, float]], *, backwards: bool = False
) -> list[dict[str, float]]:
    """A word each: tag → log of the sum over all tags of the words up to it, it included."""
    follows = _follows()
    sums: list[dict[str, float]] = []
    last = {EDGE: 0.0}
    for of_word in scores:
        last = {
            tag: score
            + np.logaddexp.reduce(
                [
                    total + (follows(tag, other) if backwards else follows(other, tag))
                    for other, total in last.items()
                ]
            )
            for tag, score in of_word.items()
        }
        sums.append(last)
    return sums


@lru_cache(maxsize=2**16)
def tag_scores(word: str) -> Mapping[str, float]:
    """Tag → log of how much likelier it is for this word (lower case) than for any word."""
    _, alone, function_words = _counts()
    shares = _shares(word)
    if counted := function_words.get(word):
        total = counted.total()
        function = sum(n for tag, n in counted.items() if tag not in (*PART_OF, "NNP"))
        weight = total / (total + (_FUNCTION if function > total / 2 else _OTHER))
        shares = {
            tag: (1 - weight) * shares.get(tag, 0.0) + weight * counted[tag] / total
            for tag in {*shares, *counted}
        }
    total_alone = alone.total()
    return {
        tag: math.log(share) - math.log((alone[tag] + 1) / total_alone)
        for tag, share in sorted(shares.items())
        if share > 1e-4
    }


def _shares(word: str) -> dict[str, float]:
    """Tag → share of the word's uses, by the lexicon or, where that lacks it, by its ending."""
    if any(map(str.isdigit, word)):
        return {"CD": 0.85, "NNP": 0.1, "JJ": 0.05}
    if word.endswith("n't"):
        return {"MD": 1.0}
    found = _uses(word)
    if found:
        total = sum(found.values())
        return {"NNP": _NAME} | {tag: count / total for tag, count in found.items()}
    if "-" in word:
        return {"JJ": 0.6, "NN": 0.35, "NNP": 0.05}
    return dict(next(shares for end, shares in _ENDINGS if word.endswith(end)))


def _uses(word: str) -> dict[str, float]:
    """Tag → uses of the word as that, as far as WordNet's counts of base forms tell."""
    found: dict[str, float] = defaultdict(float)
    for part, base, tag in readings(word):
        count = uses(part, base) + _ONLY_LISTED + _ONLY_KNOWN * (base in known(part))
        found[tag] += count * _BASE_SHARES.get(tag, _OTHER_FORMS)
    for part, tags in BASE_TAGS.items():
        if word in known(part) and tags[0] not in found:
            found |= {tag: (uses(part, word) + _ONLY_KNOWN) / len(tags) for tag in tags}
    if word in known("a"):  # a participle that is an adjective too: the counts are of the verb
        found["JJ"] = max(found["JJ"], _PARTICIPLES * max(found["VBG"], found["VBN"]))
    return found


@cache
def _follows() -> Callable[[str, str], float]:
    """Log of the probability of a tag behind another."""
    pairs, alone, _ = _counts()
    before: Counter[str] = Counter()
    for (last, _), count in pairs.items():
        before[last] += count
    total = alone.total()

    @cache
    def log_probability(last: str, tag: str) -> float:
        seen = pairs[last, tag] + _SEEN_ALONE * alone[tag] / total
        return math.log(seen / (before[last] + _SEEN_ALONE))

    return log_probability


@cache
def _counts() -> tuple[Counter[tuple[str, str]], Counter[str], dict[str, Counter[str]]]:
    """Pairs of tags, single tags, and the tags of function words."""
    pairs: Counter[tuple[str, str]] = Counter()
    words: dict[str, Counter[str]] = {}
    for line in read_lines("tagger"):
        first, *fields = line.split()
        if ":" in fields[0]:
            words[first] = Counter({tag: int(n) for tag, n in (f.split(":") for f in fields)})
        else:
            pairs[first, fields[0]] = int(fields[1])
    alone: Counter[str] = Counter()
    for (_, tag), count in pairs.items():
        alone[tag] += count
    return pairs, alone, words
