"""The recipes and profiles there are; known without importing TextAttack."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from mindflood.attack import downloads
from mindflood.attack.downloads import Download, require
from mindflood.errors import UserError
from mindflood.suggestions import nearest

PROFILES = ("offline", "paper")


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
    downloads: tuple[Download, ...]
    asks_masked_lm: bool = False
    has_candidates: bool = False
    default_query_budget: int | None = None


RECIPES: Mapping[str, Entry] = {
    "textfooler": Entry(
        "TextFooler", (downloads.VECTORS, downloads.SENTENCE_ENCODER, downloads.TAGGER)
    ),
    "bert-attack": Entry(
        "BERT-Attack",
        (downloads.MASKED_LANGUAGE_MODEL, downloads.SENTENCE_ENCODER, downloads.STOP_WORDS),
        asks_masked_lm=True,
        has_candidates=True,
    ),
    "textbugger": Entry(
        "TextBugger", (downloads.VECTORS, downloads.SENTENCE_ENCODER, downloads.STOP_WORDS)
    ),
    "bae": Entry(
        "BAE",
        (
            downloads.MASKED_LANGUAGE_MODEL,
            downloads.SENTENCE_ENCODER,
            downloads.TAGGER,
            downloads.STOP_WORDS,
        ),
        asks_masked_lm=True,
    ),
    "a2t": Entry(
        "A2T", (downloads.VECTORS, downloads.STS_ENCODER, downloads.TAGGER, downloads.STOP_WORDS)
    ),
    # Its swarm moves for 20 rounds of 60 texts and all their neighbours.
    "pso": Entry(
        "PSO",
        (downloads.SEMEMES, downloads.FLAIR_TAGGER, downloads.STOP_WORDS),
        default_query_budget=5000,
    ),
    "pwws": Entry("PWWS", (downloads.WORDNET, downloads.STOP_WORDS)),
    "deepwordbug": Entry("DeepWordBug", (downloads.STOP_WORDS,)),
    "pruthi": Entry("Pruthi et al.", (downloads.STOP_WORDS,)),
}


def check_available(recipe: str, profile: str, *, allow_pickles: bool = False) -> None:
    """Check that a recipe can be built in a profile on this machine.

    Raises:
        UserError: the recipe or profile is unknown (the nearest is suggested), or ``paper`` lacks
            a download (``offline``'s replacements are named).
    """
    _check_known("recipe", recipe, RECIPES)
    _check_known("profile", profile, PROFILES)
    if profile == "paper":
        require(recipe, RECIPES[recipe].downloads, allow_pickles=allow_pickles)


def _check_known(kind: str, name: str, known: Collection[str]) -> None:
    if name not in known:
        raise UserError(f"{kind} '{name}': no such {kind}{nearest(name, known)}")
