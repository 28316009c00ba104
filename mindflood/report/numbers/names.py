"""The papers' spelling and order of tasks, methods and attacks; others print as they are."""

from mindflood.config.input_space import AUGMENTED, INPUT_SPACE
from mindflood.config.recipes import RECIPES
from mindflood.defences.registry import DEFENCE_METHODS
from mindflood.flooding.row_methods import ROW_METHODS

TASKS = {
    "sst2": "SST-2",
    "mrpc": "MRPC",
    "qnli": "QNLI",
    "imdb": "IMDB",
    "ag_news": "AG News",
    "mr": "MR",
    "rte": "RTE",
    "cola": "CoLA",
    "yelp": "Yelp",
    "corpus": "built-in corpus",
    "mnli": "MNLI",
    "qqp": "QQP",
    "wnli": "WNLI",
    "stsb": "STS-B",
    "arc_easy": "ARC-Easy",
    "arc_challenge": "ARC-Challenge",
    "commonsense_qa": "CommonsenseQA",
    "qnli_ranking": "QNLI (ranking)",
    "wnli_ranking": "WNLI (ranking)",
    "pos": "POS tagging (EWT)",
}
_PLAIN = {
    "finetune": "Fine-tuning",
    **{name: method.title for name, method in DEFENCE_METHODS.items()},
    "flooding": "Flooding",
    "flooding-search": "Flooding (grid search)",
    "flooding-x": "Flooding-X",
    "flooding-x-online": "Flooding-X (one pass)",
    **{name: method.title for name, method in ROW_METHODS.items()},
    **{name: RECIPES[name].title for name in INPUT_SPACE},
}
METHODS = {
    **_PLAIN,
    **{
        f"{method}+{name}": title if method == "finetune" else f"{of_method} + {title}"
        for name, title in AUGMENTED.items()
        for method, of_method in _PLAIN.items()
    },
    "unknown": "a model from elsewhere",
}
STRANGER = "unknown"  # the method of a model that was not trained here: it stands for itself
ATTACKS = {name: recipe.title for name, recipe in RECIPES.items()}
_BERT_BASE = ("bert-base-uncased", "bert-base-cased")


def position(name: str, known: dict[str, str]) -> tuple[int, str]:
    """Sort key: the papers' order first, what they do not know after it."""
    names = list(known)
    return (names.index(name) if name in known else len(names), name)


def encoder_name(encoder: str) -> str:
    """An encoder as a table shows it: a local folder by its last part, a hub id whole."""
    if encoder == "embedded" or encoder.startswith("embedded, "):
        return f"MiniLM-L6 (embedded){encoder.removeprefix('embedded')}"
    local = encoder.startswith((".", "/", "~")) or encoder.count("/") > 1
    return encoder.rstrip("/").rsplit("/", 1)[-1] if local else encoder


def is_bert_base(encoder: str) -> bool:
    """Whether the encoder is the papers' own."""
    return encoder.rstrip("/").rsplit("/", 1)[-1] in _BERT_BASE
