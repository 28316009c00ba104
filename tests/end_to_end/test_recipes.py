"""Every offline recipe on a real model: what it proposes and finds keeps what the paper asks.

Each rule is checked by arithmetic of its own, not by the constraint that enforces it.
"""

import difflib
import json
import math
from collections import OrderedDict
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from transformers import AutoModel, AutoTokenizer

from mindflood.attack import substitutes
from mindflood.attack.driver.sample import seed_sample
from mindflood.attack.nltk_data import OWN_STOP_WORDS
from mindflood.attack.recipes import build_recipe
from mindflood.attack.recipes.textfooler import textfooler_stop_words
from mindflood.attack.resources.embedded import embedded_encoder
from mindflood.attack.resources.inflection import base_forms
from mindflood.attack.resources.neighbours import neighbours
from mindflood.attack.resources.tagger import part_of_speech, tagged
from mindflood.attack.swaps.constraints import NoOpposite
from mindflood.attack.swaps.masked_lm_swaps import BertAttackSwap
from mindflood.attack.textattack_import import textattack
from mindflood.attack.victim.wrapper import Victim
from mindflood.config.attack import Budget, RecipeOptions
from mindflood.config.recipes import RECIPES
from tests.conftest import ROOT
from tests.unit.attack_models import save_classifier, save_masked_lm

SENTENCES = [
    ("the film is a boring and predictable story that never finds its own voice or any humor", 0),
    ("a warm and funny film with an excellent cast , beautiful pictures and a clever script", 1),
    ("the dull actors ruin a good story", 0),
    ("a charming and moving comedy", 1),
]
OTHERS = [("an awful mess", 0), ("the plot is terrible", 0), ("wonderful", 1), ("a great movie", 1)]
NAMES = tuple(RECIPES)
# Listed here by hand: what the recipes leave out must not be taken from their own lists.
OPPOSITES = [
    ("good", "bad"), ("hot", "cold"), ("love", "hate"), ("big", "small"), ("rich", "poor"),
    ("happy", "sad"), ("early", "late"), ("strong", "weak"), ("always", "never"), ("fast", "slow"),
    ("win", "lose"), ("old", "new"), ("funny", "boring"), ("buy", "sell"), ("right", "wrong"),
]  # fmt: skip
NEAR = [("film", "movie"), ("actors", "performers"), ("terrible", "awful"), ("funny", "amusing")]
HOMOGLYPHS = set("˗৭Ȣ𝟕бƼᏎƷᒿlO`ɑЬϲԁе𝚏ɡհіϳ𝒌ⅼｍոорԛⲅѕ𝚝սѵԝ×уᴢ")


@pytest.fixture(scope="module")
def victim(tmp_path_factory):
    folder = tmp_path_factory.mktemp("victim")
    texts, labels = zip(*SENTENCES, *OTHERS, strict=True)
    save_classifier(folder, list(texts), list(labels))
    return Victim(folder, device="cpu")


@pytest.fixture(scope="module")
def options(tmp_path_factory):
    folder = tmp_path_factory.mktemp("masked-lm")
    save_masked_lm(folder)
    return RecipeOptions(candidates=12, masked_lm=folder)


@pytest.fixture(scope="module")
def recipes(victim, options):
    return {name: build_recipe(name, "offline", victim, options) for name in NAMES}


@pytest.fixture(scope="module")
def changes(recipes):
    """Recipe → (original words, changed words, index) of a sentence's proposals."""
    found = {}
    for name, recipe in recipes.items():
        found[name] = []
        for text, _ in SENTENCES[:2]:
            seed_sample(0, 0)
            original = textattack.shared.AttackedText(text)
            for proposal in recipe.attack.get_transformations(original, original_text=original):
                found[name].append((original, proposal))
    return found


@pytest.fixture(scope="module")
def results(recipes):
    """Recipe → results of whole attacks; the swarm's is cut short."""
    found = {}
    for name, recipe in recipes.items():
        recipe.attack.goal_function.query_budget = 400
        found[name] = []
        for number, (text, label) in enumerate(SENTENCES):
            seed_sample(0, number)
            found[name].append(recipe.attack.attack(text, label))
            recipe.attack.clear_cache()
    return found


def pair(result):
    return result.original_result.attacked_text, result.perturbed_result.attacked_text


def cosine(one, other):
    """Of the mean states of the embedded encoder, by transformers alone."""
    tokenizer = AutoTokenizer.from_pretrained(embedded_encoder())
    model = AutoModel.from_pretrained(embedded_encoder()).eval()
    states = []
    for text in (one, other):
        with torch.no_grad():
            states.append(model(**tokenizer(text, return_tensors="pt"))[0][0].mean(0))
    return float(torch.nn.functional.cosine_similarity(*states, dim=0))


def changed_words(original, proposal):
    """(before, after) of every changed word, by alignment; a word may have become two."""
    before, after = original.text.split(), proposal.text.split()
    blocks = difflib.SequenceMatcher(a=before, b=after, autojunk=False).get_opcodes()
    return [
        (" ".join(before[a:b]), " ".join(after[c:d]))
        for kind, a, b, c, d in blocks
        if kind != "equal"
    ]


@pytest.mark.parametrize("name", NAMES)
def test_it_proposes_one_change_at_a_time_and_finds_adversaries(name, changes, results, victim):
    assert len(changes[name]) > 4
    for original, proposal in changes[name]:
        assert len(changed_words(original, proposal)) == 1
    changed, succeeded = 0, 0
    for result, (_, label) in zip(results[name], SENTENCES, strict=True):
        before, after = pair(result)
        logits = victim([before.text, after.text])
        assert int(logits[0].argmax()) == label
        probabilities = logits.softmax(1)[:, label]
        assert probabilities[1] <= probabilities[0] + 1e-6
        changed += before.text != after.text
        found = isinstance(result, textattack.attack_results.SuccessfulAttackResult)
        assert found == (int(logits[1].argmax()) != label)
        succeeded += found
    # Of 20 random words few keep both the part of speech and the meaning.
    assert changed or name == "a2t-mlm"
    # The victim goes by few words: swaps that keep their meaning seldom deceive it.
    assert succeeded or name != "deepwordbug"


@pytest.mark.parametrize("name", NAMES)
def test_stop_words_stay(name, changes, results):
    words = textfooler_stop_words() if name == "textfooler" else set(OWN_STOP_WORDS)
    for original, changed in [*changes[name], *map(pair, results[name])]:
        for before, _ in changed_words(original, changed):
            assert not set(before.split()) & words


LEAST = 0.8  # cosine


@pytest.mark.parametrize("name", ["textbugger", "a2t", "a2t-mlm", "bert-attack"])
def test_similarity_to_the_original_is_above_the_threshold(name, changes, results):
    generator = np.random.default_rng(0)
    some = generator.permutation(len(changes[name]))[:8]
    for original, changed in [*(changes[name][i] for i in some), *map(pair, results[name])]:
        # Its window ends with the last word: a full stop behind it is not compared.
        words = [" ".join(text.text.split()) for text in (original, changed)]
        assert cosine(*words) >= LEAST - 1e-3


@pytest.mark.parametrize(
    ("name", "share", "always"), [("a2t", 0.1, 4), ("a2t-mlm", 0.1, 4), ("bert-attack", 0.4, 1)]
)
def test_no_more_words_change_than_allowed(name, share, always, results):
    for before, after in map(pair, results[name]):
        count = sum(a != b for a, b in zip(before.words, after.words, strict=True))
        assert count <= max(always, math.ceil(share * len(before.words)))


NEAREST = {"textfooler": 50, "a2t": 20, "pso": 100}


@pytest.mark.parametrize("name", NEAREST)
def test_swaps_are_words_of_the_table(name, changes):
    places = {}
    for original, proposal in changes[name]:
        ((before, after),) = changed_words(original, proposal)
        places.setdefault(before, set()).add(after)
        assert in_table(before, after)
    assert all(len(words) <= NEAREST[name] for words in places.values())


def in_table(before, after):
    """Whether some base form of the second word is a neighbour of one of the first."""
    bases = base_forms(after)
    return any(
        found.base in bases
        for base in base_forms(before)
        for part in "nvar"
        for found in neighbours(part, base)
    )


@pytest.mark.parametrize(("one", "other"), NEAR)
def test_near_words_are_proposed(one, other, recipes):
    sentence = f"a very {one} man" if one in ("terrible", "funny") else f"the {one} of old"
    assert other in swapped(recipes["textfooler"], sentence, one)
    assert other in substitutes(one)


def swapped(recipe, sentence, word):
    """What the recipe's transformation puts in a word's place, constraints left aside."""
    text = textattack.shared.AttackedText(sentence)
    proposals = recipe.attack.transformation(text)
    index = text.words.index(word)
    return {proposal.words[index] for proposal in proposals}


@pytest.mark.parametrize("name", NAMES)
def test_opposites_are_not_proposed(name, recipes):
    for pair in OPPOSITES:
        for one, other in (pair, pair[::-1]):
            original = textattack.shared.AttackedText(f"it was {one} there")
            proposal = original.replace_word_at_index(2, other)
            proposal.attack_attrs["last_transformation"] = recipes[name].attack.transformation
            if name in ("bert-attack", "bae", "a2t-mlm"):  # which propose whatever is likely
                allowed = [c for c in recipes[name].attack.constraints if type(c) is NoOpposite]
                assert [c(proposal, original) for c in allowed] == [False]
            else:
                assert other not in swapped(recipes[name], original.text, one)


@pytest.mark.parametrize(
    ("name", "swapped"),
    [("textfooler", True), ("bae", True), ("a2t", False), ("a2t-mlm", False)],
)
def test_the_part_of_speech_stays(name, swapped, changes):
    for original, proposal in changes[name]:
        index = next(i for i, w in enumerate(original.words) if w != proposal.words[i])
        old, new = (part_of_speech(tagged(t.words)[index]) for t in (original, proposal))
        assert old == new or (swapped and {old, new} == {"n", "v"})


def bug(before, after):
    """Which of TextBugger's five bugs turned one word into the other."""
    if after.replace(" ", "") == before and " " in after:
        return "insert"
    if len(after) == len(before) - 1:
        places = [i for i in range(1, len(before) - 1) if before[:i] + before[i + 1 :] == after]
        if places:
            return "delete"
    if len(after) == len(before):
        differ = [i for i in range(len(before)) if before[i] != after[i]]
        if len(differ) == 1 and after[differ[0]] in HOMOGLYPHS:
            return "substitute character"
        if (
            len(differ) == 2
            and differ[1] == differ[0] + 1
            and before[differ[0]] == after[differ[1]]
            and before[differ[1]] == after[differ[0]]
            and differ[0] > 0
            and differ[1] < len(before) - 1
        ):
            return "swap"
    return "substitute word"


def test_textbugger_has_five_kinds_of_bugs(changes):
    found = set()
    for original, proposal in changes["textbugger"]:
        ((before, after),) = changed_words(original, proposal)
        kind = bug(before, after)
        found.add(kind)
        if kind == "substitute word":
            assert in_table(before, after)
    kinds = {"insert", "delete", "swap", "substitute character", "substitute word"}
    assert found == kinds


def test_bae_compares_a_window_of_15_words(changes):
    some = np.random.default_rng(0).permutation(len(changes["bae"]))[:8]
    for original, proposal in (changes["bae"][i] for i in some):
        index = next(i for i, w in enumerate(original.words) if w != proposal.words[i])
        windows = [text.text_window_around_index(index, 15) for text in (original, proposal)]
        assert cosine(*windows) >= LEAST - 1e-3


def test_a_premise_stays(victim, options, recipes):
    columns = OrderedDict(premise=SENTENCES[0][0], hypothesis=SENTENCES[2][0])
    text = textattack.shared.AttackedText(columns)
    for name in ("textfooler", "a2t", "a2t-mlm", "pso"):
        found = recipes[name].attack.get_transformations(text, original_text=text)
        assert found
        assert {proposal._text_input["premise"] for proposal in found} == {columns["premise"]}


@pytest.mark.parametrize("name", NAMES)
def test_the_fingerprint_is_of_the_recipe(name, victim, options, recipes):
    again = build_recipe(name, "offline", victim, options)
    assert again.fingerprint == recipes[name].fingerprint
    assert again.replaced_components == recipes[name].replaced_components
    fingerprints = {recipe.fingerprint for recipe in recipes.values()}
    assert len(fingerprints) == len(NAMES)


@pytest.mark.parametrize(
    "name", ["textfooler", "textbugger", "pwws", "pso", "deepwordbug", "pruthi"]
)
def test_the_committed_audits_are_of_today_s_recipe(name, recipes):
    keys = [json.loads(path.read_text()) for path in (ROOT / "results/audits").glob("*.key.json")]
    identities = [attack["identity"] for key in keys for attack in key["attacks"]]
    of_recipe = [one for one in identities if one["recipe"] == name]
    assert of_recipe
    for one in of_recipe:
        budget = Budget(max_queries=one["max_queries"], max_seconds=one["max_seconds"])
        assert one["fingerprint"] == budget.fingerprint(recipes[name].fingerprint)


def test_the_fingerprint_follows_k_and_the_masked_language_model(
    victim, options, recipes, tmp_path
):
    fewer = build_recipe(
        "bert-attack", "offline", victim, RecipeOptions(candidates=8, masked_lm=options.masked_lm)
    )
    assert "K = 48 candidates by K = 8" in fewer.replaced_components
    assert fewer.fingerprint != recipes["bert-attack"].fingerprint
    save_masked_lm(tmp_path)
    config = tmp_path / "config.json"
    config.write_text(config.read_text() + "\n")
    for name in ("bert-attack", "bae", "a2t-mlm"):
        other = build_recipe(name, "offline", victim, RecipeOptions(False, 12, tmp_path))
        assert other.fingerprint != recipes[name].fingerprint


def test_what_was_replaced_is_named(recipes):
    wanted = {
        "textfooler": ("counter-fitted", "no antonyms", "Universal Sentence Encoder", "tagger"),
        "textbugger": ("counter-fitted", "Universal Sentence Encoder"),
        "bert-attack": (
            "bert-base-uncased by the masked language model",
            "Universal",
            "K = 12",
            "antonyms",
        ),
        "bae": ("bert-base-uncased", "Universal Sentence Encoder", "antonyms"),
        "a2t": ("counter-fitted", "DistilBERT"),
        "a2t-mlm": ("bert-base-uncased", "DistilBERT", "antonyms"),
        "pso": ("HowNet", "flair"),
    }
    for name, words in wanted.items():
        lines = " / ".join(recipes[name].replaced_components)
        for word in words:
            assert word in lines, (name, lines)


@pytest.fixture
def downloaded(monkeypatch, options):
    """TextAttack's own recipes with our table and masked language model for their downloads."""
    from textattack.constraints.semantics import sentence_encoders
    from textattack.transformations.word_swaps import word_swap_masked_lm as swap
    from transformers import AutoModelForMaskedLM

    def ours(name, **_):
        return {
            "AutoModelForMaskedLM": AutoModelForMaskedLM,
            "AutoTokenizer": AutoTokenizer,
        }[name].from_pretrained(options.masked_lm)

    for name in ("AutoModelForMaskedLM", "AutoTokenizer"):
        stand_in = type(name, (), {"from_pretrained": lambda *_, name=name, **__: ours(name)})
        monkeypatch.setattr(swap, name, stand_in)
    words = ["film", "movie"]
    table = textattack.shared.WordEmbedding(
        np.eye(2, dtype=np.float32), {w: i for i, w in enumerate(words)}, dict(enumerate(words))
    )
    monkeypatch.setattr(
        textattack.shared.WordEmbedding, "counterfitted_GLOVE_embedding", lambda *_: table
    )
    sbert = sentence_encoders.sentence_bert.sbert
    encoder = type("Encoder", (), {"to": lambda self, device: self})
    monkeypatch.setattr(
        sbert,
        "sentence_transformers",
        type("Package", (), {"SentenceTransformer": lambda *_: encoder()}),
    )
    universal = sentence_encoders.universal_sentence_encoder.universal_sentence_encoder
    vectors = {"load": lambda address: lambda sentences: torch.ones(len(sentences), 2)}
    monkeypatch.setattr(universal, "hub", SimpleNamespace(**vectors))

    def without_its_pickle(swap, max_candidates=-1):
        textattack.transformations.WordSwap.__init__(swap)
        swap.max_candidates, swap.candidates_bank = max_candidates, {}

    monkeypatch.setattr(textattack.transformations.WordSwapHowNet, "__init__", without_its_pickle)
    monkeypatch.setattr(
        textattack.transformations.WordSwapWordNet, "__init__", lambda swap, language="eng": None
    )


@pytest.fixture
def paper(downloaded, victim, monkeypatch):
    """Recipes of the paper's profile, as a run builds them, and the downloads' hashes."""
    from mindflood.attack.recipes import build

    hashes = {}
    monkeypatch.setattr(build, "check_available", lambda *_, **__: None)
    monkeypatch.setattr(
        build, "contents", lambda pieces: {p.name: hashes.get(p.name, "") for p in pieces}
    )

    def built(name, candidates=48):
        options = RecipeOptions(allow_pickles=True, candidates=candidates)
        return build_recipe(name, "paper", victim, options)

    return built, hashes


# What takes another class offline, under TextAttack's name of it.
REPLACED = {
    "SentenceSimilarity": ("UniversalSentenceEncoder", "SBERT"),
    "BaeSwap": ("WordSwapMaskedLM",),
    "SamePartOfSpeech": ("PartOfSpeech",),
    "SynonymSwap": ("WordSwapWordNet",),
    "WordNetSwap": ("WordSwapWordNet",),
}
# The table of substitutes takes the place of a distance of word vectors.
LEFT_OUT = {"WordEmbeddingDistance"}
ADDED = {"Substitutable", "NoOpposite"}
# Chosen by measuring our encoder, and our own list.
OURS = {"threshold", "metric", "skip_text_shorter_than_window", "stopwords"}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.usefixtures("downloaded")
def test_offline_is_textattack_s_own_recipe_but_for_the_replaced_parts(
    name, victim, options, recipes
):
    from mindflood.attack.recipes.build import recipe_module

    stock, ours = recipe_module(name).paper(victim, options).attack, recipes[name].attack
    assert type(stock.search_method) is type(ours.search_method)
    assert vars_of(stock.search_method) == vars_of(ours.search_method)
    assert type(stock.goal_function) is type(ours.goal_function)
    for kind in ("pre_transformation_constraints", "constraints"):
        theirs = {type(c).__name__: c for c in getattr(stock, kind)}
        own = [c for c in getattr(ours, kind) if type(c).__name__ not in ADDED]
        assert len(own) == len(theirs.keys() - LEFT_OUT)
        for constraint in own:
            kind_of = type(constraint).__name__
            (same,) = [theirs[n] for n in REPLACED.get(kind_of, (kind_of,)) if n in theirs]
            common = vars_of(constraint).keys() & vars_of(same).keys() - OURS
            assert {k: vars_of(constraint)[k] for k in common} == {
                k: vars_of(same)[k] for k in common
            }
    assert proposal_kinds(stock.transformation) == proposal_kinds(ours.transformation)


def vars_of(part):
    """Settings that are plain values."""
    plain = (bool, int, float, str, set, type(None))
    return {k: v for k, v in vars(part).items() if isinstance(v, plain) and not k.startswith("_")}


def proposal_kinds(transformation):
    """(name, settings) of a transformation or of each that it is composed of."""
    every = getattr(transformation, "transformations", [transformation])
    found = []
    for swap in every:
        name = REPLACED.get(type(swap).__name__, (type(swap).__name__,))[0]
        if name in ("NeighbourSwap", "WordSwapHowNet"):
            name = "WordSwapEmbedding"
        settings = ("max_candidates", "random_one", "skip_first_char", "skip_last_char")
        values = {k: getattr(swap, k, None) for k in settings}
        # TextAttack writes -1 for no limit.
        found.append((name, {k: v for k, v in values.items() if v not in (None, -1)}))
    return found


def test_the_paper_s_bert_attack_has_its_k_and_says_so(paper):
    for count in (48, 8):
        built = paper[0]("bert-attack", candidates=count)
        swap = built.attack.transformation
        assert type(swap) is BertAttackSwap
        assert swap.max_candidates == swap.masked_lm.kept == count
        lines = " / ".join(built.replaced_components)
        assert f"K = 8 candidates by K = {count}" in lines  # TextAttack's is 8
        assert "enumeration" in lines
        assert "ends at the K-th word" in lines
    assert paper[0]("bert-attack").fingerprint != paper[0]("bert-attack", candidates=8).fingerprint


@pytest.mark.parametrize("name", NAMES)
def test_the_paper_s_recipe_is_named_by_its_downloads(name, paper, recipes):
    built, hashes = paper
    first = built(name)
    assert built(name).fingerprint == first.fingerprint != recipes[name].fingerprint
    for piece in RECIPES[name].downloads:
        hashes[piece] = "another content"
        assert built(name).fingerprint != first.fingerprint
        hashes.clear()
    replaced = {"bert-attack": 2, "textbugger": 1, "pwws": 1}
    assert len(first.replaced_components) == replaced.get(name, 0)
    for recipe in (first, recipes[name]):
        mended = any("homoglyph" in what for what in recipe.replaced_components)
        assert mended == (name == "textbugger")


@pytest.mark.parametrize("name", ["bae", "a2t-mlm", "bert-attack"])
@pytest.mark.usefixtures("downloaded")
def test_ranking_a_few_tokens_is_enough_for_the_candidates(name, victim, options, recipes):
    """TextAttack ranks the whole vocabulary and, for sub-words, tries every combination."""
    text = textattack.shared.AttackedText("an unfunny and plodding film that never ends")
    stock = textattack.transformations.WordSwapMaskedLM(
        method=name if name == "bert-attack" else "bae",
        max_candidates={"bae": 50, "a2t-mlm": 20}.get(name, options.candidates),
        max_length=64,
        min_confidence=0.0,
    )
    ours = recipes[name].attack.transformation
    expected = [proposal.text for proposal in stock(text)]
    assert len(expected) > 60
    assert [proposal.text for proposal in ours(text)] == expected
