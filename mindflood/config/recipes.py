"""The recipes and profiles there are; known without importing TextAttack."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from mindflood.fields import Positive

Profile = Literal["offline", "paper"]
PROFILES: tuple[Profile, ...] = get_args(Profile)
Columns = Literal["both", "first", "second"]  # texts of a pair that an attack may change
COLUMNS: tuple[Columns, ...] = get_args(Columns)
Temperature = Positive | Literal["fitted", "weakest"]  # of a calibrated victim

# What recipes of the paper profile download; mindflood/attack/resources/downloads.py looks for it.
VECTORS = "counter-fitted word vectors"
SENTENCE_ENCODER = "Universal Sentence Encoder"
TAGGER = "NLTK part-of-speech tagger"
STOP_WORDS = "NLTK stop words"
WORDNET = "NLTK WordNet"
MASKED_LANGUAGE_MODEL = "masked language model bert-base-uncased"
STS_ENCODER = "sentence encoder stsb-distilbert-base"
SEMEMES = "HowNet substitutes"
FLAIR_TAGGER = "flair part-of-speech tagger"


@dataclass(frozen=True)
class Entry:
    """A row of the table of recipes: what is known before anything heavy is imported.

    The recipe itself is the module of its name in ``mindflood/attack/recipes``, with _ for -.

    Attributes:
        title: its name as the papers spell it.
        downloads: what TextAttack's own version of it downloads.
        asks_masked_lm: whether its offline version needs a masked language model.
        has_candidates: whether the number of its candidates is the user's to choose.
        default_query_budget: queries a sample where the user names none; None: no limit.
    """

    title: str
    downloads: tuple[str, ...]
    asks_masked_lm: bool = False
    has_candidates: bool = False
    default_query_budget: int | None = None


RECIPES: Mapping[str, Entry] = {
    "textfooler": Entry("TextFooler", (VECTORS, SENTENCE_ENCODER, TAGGER)),
    "bert-attack": Entry(
        "BERT-Attack",
        (MASKED_LANGUAGE_MODEL, SENTENCE_ENCODER, STOP_WORDS),
        asks_masked_lm=True,
        has_candidates=True,
    ),
    "textbugger": Entry("TextBugger", (VECTORS, SENTENCE_ENCODER, STOP_WORDS)),
    "bae": Entry(
        "BAE",
        (
            MASKED_LANGUAGE_MODEL,
            SENTENCE_ENCODER,
            TAGGER,
            STOP_WORDS,
        ),
        asks_masked_lm=True,
    ),
    "a2t": Entry("A2T", (VECTORS, STS_ENCODER, TAGGER, STOP_WORDS)),
    "a2t-mlm": Entry(
        "A2T-MLM",
        (MASKED_LANGUAGE_MODEL, STS_ENCODER, TAGGER, STOP_WORDS),
        asks_masked_lm=True,
    ),
    # Its swarm moves for 20 rounds of 60 texts and all their neighbours.
    "pso": Entry(
        "PSO",
        (SEMEMES, FLAIR_TAGGER, STOP_WORDS),
        default_query_budget=5000,
    ),
    "pwws": Entry("PWWS", (WORDNET, STOP_WORDS)),
    "deepwordbug": Entry("DeepWordBug", (STOP_WORDS,)),
    "pruthi": Entry("Pruthi et al.", (STOP_WORDS,)),
}
