"""The form of a ``card.json``: every key with its type and its meaning, written once.

Cards are plain dictionaries. These classes type them for mypy, pydantic checks what is read and
written against them (:mod:`mindflood.cards.check`), and ``docs/cards.md`` is made of them. A card
keeps the keys that are not here, of a newer version or of a user's own.
"""

from typing import Annotated, Any, Literal, NoReturn

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic_core import PydanticCustomError
from typing_extensions import NotRequired, TypedDict

from mindflood.cards.attack_key import AttackKey
from mindflood.cards.kinds import (
    Amount,
    AnyText,
    Bounds,
    Count,
    Flag,
    Key,
    Kind,
    Number,
    Numbers,
    Pair,
    Rate,
    Sentences,
    Text,
    Texts,
    Whole,
    form,
    shown,
)

LevelSource = Literal["fixed", "search", "accordance", "fallback"]


def _refuse(key: str, expected: str, found: Any) -> NoReturn:
    """Refuse a value, at a key of what is checked, for what stands beside it."""
    _misfit(key, f"expected {expected}, found {shown(found)}")


def _misfit(key: str, said: str) -> NoReturn:
    raise PydanticCustomError("misfit", "{said}", {"key": key, "said": said})


@form
class AuditSummary(TypedDict):
    """What people found who read some of the attack's successes (``mindflood audit``)."""

    graded: Count
    """Successes that were read."""
    same: Count
    """Of them, those whose label still holds."""
    changed: Count
    """Those whose meaning changed."""
    unclear: Count
    """Those of which the readers could not tell."""
    english: Count
    """Those that are still English."""
    keeps_label: Rate
    """Share of those that were read whose label still holds."""
    keeps_label_interval: NotRequired[Bounds]
    """Its 95 % interval."""
    still_english: Rate
    """Share of those that were read that are still English."""
    still_english_interval: NotRequired[Bounds]
    """Its 95 % interval."""
    validated_accuracy: Rate
    """Accuracy under attack in which a success that changed the meaning is none."""
    validated_accuracy_interval: NotRequired[Bounds]
    """Its 95 % interval."""
    sheet: Text
    """Name of the graded sheet."""
    grades: NotRequired[Text]
    """Hash of the grades: 16 hexadecimal digits."""


def _adds_up(audit: AuditSummary) -> AuditSummary:
    graded, read = audit["graded"], audit["same"] + audit["changed"] + audit["unclear"]
    if not 0 < graded == read:
        _refuse("graded", "same + changed + unclear, above 0", graded)
    if audit["english"] > graded:
        _refuse("english", f"at most {graded} graded", audit["english"])
    return audit


@form
class Temperature(TypedDict):
    """How the logits of a calibrated victim were scaled."""

    temperature: Amount
    """The logits are divided by it."""
    source: Text
    """``fitted`` to held-out rows, ``weakest`` of several on held-out rows, or ``given``."""
    held_out: NotRequired[Text | None]
    """Split of the held-out rows; null where the temperature was given."""
    rows: NotRequired[Count]
    """Number of the held-out rows."""


@form
class Counts(TypedDict):
    """The attacked texts by what came of them."""

    num_examples: Count
    """Texts with an outcome so far."""
    skipped: Count
    """Wrong before the attack."""
    succeeded: Count
    """Broken."""
    failed: Count
    """Still right."""
    errors: Count
    """Undecided: the attack raised an error."""
    out_of_budget: Count
    """Undecided: the attack ran out of queries or seconds."""
    untouched: NotRequired[Count]
    """The attack had no candidate to try; they are in no rate."""


@form
class Outcome(Counts):
    """What an attack came to."""

    accuracy_under_attack: Rate | None
    """Texts still right, of all but the untouched; null where undecided ones leave it open by more
    than a point, or nothing was attacked."""
    accuracy_under_attack_bounds: NotRequired[Bounds | None]
    """The same if all undecided texts broke, and if none did."""
    attack_success_rate: Rate | None
    """Broken texts, of those right before the attack; null as above."""
    attack_success_rate_bounds: NotRequired[Bounds | None]
    """The same if no undecided text broke, and if all did."""
    mean_queries: Amount | None
    """Queries a text with an outcome; null where the success rate is."""
    mean_queries_at_least: NotRequired[Amount | None]
    """The same with what the undecided texts have cost so far."""
    seconds: Amount
    """Spent on all texts."""


@form
class AttackSummary(Outcome):
    """One attack on one model."""

    fingerprint: Text
    """Hash of the exact recipe; numbers compare only where it is the same."""
    replaced: NotRequired[Texts]
    """What the profile puts in place of parts of the paper's recipe."""
    audit: NotRequired[Annotated[AuditSummary, AfterValidator(_adds_up)]]
    """What people found who read its successes."""
    requested: NotRequired[Count]
    """Texts that the finished attack has."""
    seed: NotRequired[Whole | None]
    """Decides the sample of texts and the attack's random choices."""
    columns: NotRequired[Text]
    """Which texts of a pair may change: ``both``, ``first`` or ``second``."""
    max_queries: NotRequired[Count]
    """Most queries that a text may cost."""
    max_seconds: NotRequired[Amount]
    """Most seconds that a text may cost."""
    candidates: NotRequired[Count]
    """K of BERT-Attack: candidates a word."""
    masked_lm: NotRequired[Text]
    """Fingerprint of the masked language model that was asked."""
    calibration: NotRequired[Temperature]
    """The temperature of the victim, where it was calibrated."""
    calibration_error: NotRequired[Rate | None]
    """Expected calibration error of the victim on the attacked texts, 15 bins."""
    warnings: NotRequired[Sentences]
    """What makes the numbers doubtful, without a full stop."""


def _enough_succeeded(summary: AttackSummary) -> AttackSummary:
    if "audit" in summary and summary["audit"]["graded"] > (most := summary["succeeded"]):
        _refuse("audit.graded", f"at most {most} succeeded", summary["audit"]["graded"])
    return summary


def _well_named(attacks: Any) -> Any:
    for key in attacks if isinstance(attacks, dict) else ():
        try:
            AttackKey.parse(key)
        except ValueError as error:
            _misfit("", str(error))
    return attacks


Attacks = Annotated[
    dict[Key, Annotated[AttackSummary, AfterValidator(_enough_succeeded)]],
    BeforeValidator(_well_named),
]


@form
class DataSizes(TypedDict):
    """What the model was trained and tested on."""

    train: Count | None
    """Training rows."""
    test: Count | None
    """Rows of the clean accuracy."""
    words: Amount | None
    """Mean number of words of a training row."""
    hashes: NotRequired[dict[Key, Text]]
    """Fingerprints of the rows: ``train``, of each epoch's ``evaluation``, ``test``."""


@form
class Epoch(TypedDict):
    """The model of one epoch, attacked on a sample (``attack.each_epoch``)."""

    epoch: Count
    """From 1."""
    clean_accuracy: Rate | None
    """As the card's own."""
    train_loss: Amount | None
    """Mean of the raw training losses J in the epoch's part of the trace, in nats."""
    eval_loss: Amount | None
    """Loss on the evaluation rows at its end, in nats."""
    attacks: Attacks
    """Its attacks, as those of the card."""


@form
class NoiseAnalysis(TypedDict):
    """Loss under Gaussian noise in the word embeddings (``mindflood analyse noise``)."""

    alpha: Numbers
    """Standard deviations of the noise."""
    loss: Numbers
    """Mean loss at each, in nats."""
    accuracy: Numbers
    """Accuracy at each, a fraction."""
    num_examples: Count
    """Rows that were looked at."""
    draws: Count
    """Draws of the noise that the means are over."""
    seed: Count
    """Of rows and noise."""
    warnings: NotRequired[Sentences]
    """Signs that the model is no classifier of these rows."""


def _as_many(noise: NoiseAnalysis) -> NoiseAnalysis:
    if len({len(noise["alpha"]), len(noise["loss"]), len(noise["accuracy"])}) > 1:
        _refuse("alpha", "as many numbers as loss and accuracy have", noise["alpha"])
    return noise


@form
class BallAnalysis(TypedDict):
    """Largest rise of the loss in a ball around each text (``mindflood analyse ball``)."""

    max_increment: Number
    """Median over the texts, in nats."""
    quartiles: Pair
    """Its quartiles."""
    natural_loss: Amount
    """Median loss without a perturbation, in nats."""
    radius: Amount
    """Median radius, L2 over all word embeddings of a text."""
    num_examples: Count
    """Texts that all compared models have right."""
    steps: Count
    """Steps of one search."""
    restarts: Count
    """Searches a text."""
    without_radius: Count
    """Texts whose radius is below the smallest that was tried."""
    of_largest_radius: Count
    """Texts for which no radius that was tried was too large."""
    seed: NotRequired[Count]
    """Of rows and searches."""
    requested: NotRequired[Count]
    """Rows that were looked at."""
    texts: NotRequired[Text]
    """Hash of the texts; rows compare only where it is the same. Older cards do not tell it."""
    warnings: NotRequired[Sentences]
    """Signs that the model is no classifier of these rows."""


@form
class MeasuredAccuracy(TypedDict):
    """An accuracy on rows of one task."""

    task: Text
    """Name of the task."""
    accuracy: Rate
    """Share that the model has right."""
    num_examples: Count
    """Number of the rows."""


# "in" and "from" are words of Python's own: keys that are so called stand in calls.
_In = TypedDict(
    "_In", {"in": Annotated[MeasuredAccuracy, Field(description="On the task's own test rows.")]}
)


@form
class GeneralisationAnalysis(_In):
    """Accuracy on the training's own task and on others (``mindflood analyse generalisation``)."""

    out: list[MeasuredAccuracy]
    """On each other data set."""
    seed: NotRequired[Count]
    """Of the sample of rows."""
    warnings: NotRequired[Sentences]
    """Signs that the model is no classifier of one of the data sets."""


@form
class TriedTexts(TypedDict):
    """Adversarial texts of one other model."""

    tried: Count
    """Those whose original this model has right."""
    fooled: Count
    """Of them, those that this model has wrong."""


def _fooled_of_tried(texts: TriedTexts) -> TriedTexts:
    if texts["fooled"] > texts["tried"]:
        _refuse("fooled", f"at most {texts['tried']}", texts["fooled"])
    return texts


_Others = TypedDict(
    "_Others",
    {
        "from": Annotated[
            dict[Key, Annotated[TriedTexts, AfterValidator(_fooled_of_tried)]],
            Field(description="What each other model's texts did, under its name."),
        ]
    },
)


@form
class TransferredAttack(_Others):
    """One recipe: the other models' adversarial texts tried on this model."""

    fingerprint: Text
    """Hash of the exact recipe."""
    num_examples: Count
    """Attacked texts with an outcome."""
    held: Count
    """Of them, those that the model's own attack left right."""
    fell: Count
    """Of these, those that another model's text turns round."""


def _fell_of_held(found: TransferredAttack) -> TransferredAttack:
    if found["fell"] > found["held"]:
        _refuse("fell", f"at most {found['held']} held", found["fell"])
    if found["held"] > found["num_examples"]:
        _refuse("held", f"at most {found['num_examples']} of num_examples", found["held"])
    return found


@form
class TransferAnalysis(TypedDict):
    """Whether texts that fooled other models fool this one (``mindflood analyse transfer``)."""

    name: Text
    """What the other models' cards call this one: ``EXPERIMENT/RUN``."""
    attacks: dict[Key, Annotated[TransferredAttack, AfterValidator(_fell_of_held)]]
    """Each attack that all the models have."""


@form
class Neuron(TypedDict):
    """One neuron of a model."""

    layer: Count
    """Its layer; 0 are the embeddings."""
    unit: Count
    """Its place in the layer, from 0."""


@form
class FiringNeuron(Neuron):
    """A neuron that a tag rests on."""

    weight: Number
    """Its weight for the tag in the probe."""
    words: Texts
    """Words that move it most, the strongest first."""


@form
class TagNeurons(TypedDict):
    """The neurons of one tag."""

    count: Count
    """Training words that have the tag."""
    match: Count
    """Of the listed words, those whose commonest tag in the training data it is."""
    total: Count
    """Distinct words listed over the tag's neurons."""
    matched: Texts
    """The words that match."""
    neurons: list[FiringNeuron]
    """Those of the largest weight, the first one first."""
    by_layer: Annotated[list[Count], Kind("a list of counts (0 or more)")]
    """The fewest neurons that carry ``share`` of the tag's weight, by their layer."""


def _matches_of_total(tag: TagNeurons) -> TagNeurons:
    if tag["match"] > tag["total"]:
        _refuse("match", f"at most {tag['total']} of total", tag["match"])
    return tag


@form
class MatchedWords(TypedDict):
    """What the neurons of a control come to."""

    match: Count
    """Matching words, summed over all tags."""
    total: Count
    """Listed words, summed over all tags."""
    kept_accuracy: Rate
    """As that of the analysis."""


@form
class ProbedTags(TypedDict):
    """A linear probe of all neurons."""

    accuracy: Rate
    """Share of the test words whose tag it has right."""
    law: Amount
    """What its law comes to on the training words, in nats: the penalties are in it."""
    passes: Count
    """Over the training words."""
    converged: Flag
    """Whether it stopped falling."""


@form
class NeuronSettings(TypedDict):
    """How a tagger's neurons are looked at."""

    subwords: Literal["last", "first", "average"]
    """Which sub-words stand for a word."""
    l1: Amount
    """λ₁ of the probe."""
    l2: Amount
    """λ₂ of the probe."""
    l2_form: Literal["root", "squared"]
    """What λ₂ weighs: the norm of the weights, or its square."""
    top: Count
    """Neurons a tag whose words are listed."""
    words: Count
    """Words listed a neuron."""
    words_of: Literal["train", "test"]
    """Which words are listed: those that the probes were trained on, or those of the test."""
    keep: Count
    """Neurons that the ablation leaves."""
    share: Rate
    """Share of a tag's weight that the neurons in ``by_layer`` carry."""
    draws: Count
    """Draws of random neurons."""
    seed: Count
    """Of shuffled tags and random neurons."""


@form
class NeuronAnalysis(NeuronSettings):
    """Which neurons of a tagger know which tag (``mindflood analyse neurons``)."""

    layers: Count
    """Layers of the model, the embeddings as one of them."""
    width: Count
    """Neurons a layer."""
    train_words: Count
    """Words that the probes were trained on."""
    test_words: Count
    """Words that they were tested on."""
    left_out: Count
    """Words of both of which the model sees nothing, or not all."""
    texts: Text
    """Hash of both and their tags; analyses compare only where it is the same."""
    majority: Rate
    """Share of the test words that have the commonest training tag."""
    tagger_accuracy: Rate
    """Share of the test words that the model itself tags right."""
    probe: ProbedTags
    """The probe whose weights rank the neurons."""
    ranking: list[Neuron]
    """The ``keep`` neurons that the ablation leaves, the first one first."""
    kept_accuracy: Rate
    """Accuracy on the test words of a probe that has these neurons alone."""
    tags: dict[Key, Annotated[TagNeurons, AfterValidator(_matches_of_total)]]
    """Each tag of the training words, the commonest first."""
    random: MatchedWords
    """Control: neurons drawn at random; matches summed, accuracies averaged over the draws."""
    shuffled: MatchedWords
    """Control: the neurons of a probe of shuffled tags."""
    shuffled_probe: ProbedTags
    """That probe; its accuracy is on shuffled tags too."""
    warnings: NotRequired[Sentences]
    """What makes the numbers doubtful, without a full stop."""


def _as_many_layers(found: NeuronAnalysis) -> NeuronAnalysis:
    for tag, neurons in found["tags"].items():
        if len(neurons["by_layer"]) != found["layers"]:
            expected = f"{found['layers']} counts, one a layer"
            _refuse(f"tags.{tag}.by_layer", expected, neurons["by_layer"])
    return found


@form
class Analyses(TypedDict):
    """The analyses that were made of the model (``mindflood analyse``)."""

    noise: NotRequired[Annotated[NoiseAnalysis, AfterValidator(_as_many)]]
    """Loss under noise in the word embeddings."""
    ball: NotRequired[dict[Key, BallAnalysis]]
    """Loss in a ball whose radius is that of a reference model, under the reference's name."""
    generalisation: NotRequired[GeneralisationAnalysis]
    """Accuracy on other data."""
    transfer: NotRequired[TransferAnalysis]
    """Other models' adversarial texts."""
    neurons: NotRequired[Annotated[NeuronAnalysis, AfterValidator(_as_many_layers)]]
    """Which neurons of a tagger know which tag."""


_Origin = TypedDict(
    "_Origin",
    {
        "from": NotRequired[
            Annotated[
                Text,
                Field(description="In ``search.bounds``: ``fixed`` by hand, or ``accordance``."),
            ]
        ]
    },
)


@form
class ProbeFindings(_Origin):
    """Where gradient accordance gave a level, and what it cost to watch.

    A run that never crossed zero has no ``level``.
    """

    rule: NotRequired[Text]
    """Which rule gave the level, or that none did, in a sentence."""
    level: NotRequired[Amount]
    """Flood level b in nats: mean training loss of the sub-epoch right before the crossing."""
    lower: NotRequired[Amount]
    """Lower end of the search range, in nats."""
    upper: NotRequired[Amount]
    """Its upper end."""
    step: NotRequired[Count]
    """Training step at which that sub-epoch ends."""
    epoch: NotRequired[Amount]
    """Epoch of that step."""
    sub_epoch: NotRequired[Count]
    """Line of that sub-epoch in ``accordance.jsonl``, from 0."""
    direction: NotRequired[Text | None]
    """``rising`` or ``falling``; null for a fallback."""
    source: NotRequired[Text]
    """``accordance``, or ``fallback`` where there was no crossing."""
    steps_per_epoch: NotRequired[Count]
    """Training steps an epoch."""
    probe_seconds: NotRequired[Amount]
    """Spent on the probes."""
    share_of_training: NotRequired[Amount]
    """The same as a share of the seconds of training."""
    evaluation_seconds: NotRequired[Amount]
    """Spent on evaluating at the ends of sub-epochs."""
    first_pass_seconds: NotRequired[Amount]
    """Spent on training the pass that was watched, where it was one of its own."""


def _whole_crossing(found: ProbeFindings) -> ProbeFindings:
    if "level" in found:
        for key in ("lower", "upper", "epoch", "source"):
            if key not in found:
                raise PydanticCustomError("lacking", "{key}", {"key": key})
    return found


Probed = Annotated[ProbeFindings, AfterValidator(_whole_crossing)]


@form
class SearchCandidate(TypedDict):
    """One model of the grid search."""

    flood_level: NotRequired[Amount]
    """Its flood level b, in nats."""
    accuracy_under_attack: NotRequired[Rate | None]
    """What the levels are ranked by, as in ``attacks``."""
    accuracy_under_attack_bounds: NotRequired[Bounds]
    """Its bounds, as in ``attacks``."""
    clean_accuracy: NotRequired[Rate]
    """On the same rows, before the attack."""
    train_seconds: Amount
    """Spent on training it."""


@form
class GridSearch(TypedDict):
    """The grid search over flood levels (method ``flooding-search``)."""

    flood_level: NotRequired[Amount]
    """The level that was chosen, in nats."""
    bounds: NotRequired[Probed]
    """Where the range of the levels comes from."""
    choose_on: NotRequired[Text]
    """``held-out`` rows of the training data, or ``test``, as the paper does."""
    attack: NotRequired[Text]
    """The attack that the candidates stood, by its key."""
    examples: NotRequired[Count]
    """Texts that each was attacked on."""
    seconds: NotRequired[Amount]
    """Spent on the whole search."""
    candidates: NotRequired[list[SearchCandidate]]
    """The levels that were tried."""


@form
class TrainingLosses(TypedDict):
    """The training rows at the end, without dropout; ``row_losses.jsonl`` has each."""

    rows: Count
    """Rows that were looked at: all, or a random 4,000 and a batch at most."""
    mean: Amount
    """Their mean loss, in nats."""
    below_level: NotRequired[Rate]
    """Share of them below their flood level."""
    right_labels: NotRequired[Amount]
    """Mean loss of those whose label is right, where that is known (built-in corpus)."""
    wrong_labels: NotRequired[Amount]
    """Mean loss of those whose label is wrong."""


@form
class AuxiliaryModels(TypedDict):
    """The models that gave every row a flood level of its own (AdaFlood)."""

    folds: Count
    """How many they are."""
    gamma: Rate
    """γ of the levels."""
    encoder: Text
    """Their encoder."""
    seconds: Amount
    """Spent in the training steps of all of them; runs that share them all state it."""
    loss: Amount
    """Mean loss of the rows that each has not seen, in nats."""
    accuracy: Rate
    """Accuracy on these rows."""
    levels: Numbers
    """Smallest, quartiles and largest of the rows' levels θ, in nats."""


@form
class AdversarialRound(TypedDict):
    """What training on adversarial examples attacked at the beginning of an epoch."""

    epoch: Count
    """From 1."""
    wanted: Count
    """⌈γ·n⌉ adversarial examples of the n training rows."""
    attacked: Count
    """Rows that were attacked."""
    kept: Count
    """Adversarial examples that the epoch trains on; fewer than wanted where no row was left."""
    seconds: Amount
    """Spent on exporting the model and attacking it, on the clock; part of ``train_seconds``."""
    fingerprint: Text
    """Hash of the exact recipe."""
    replaced: NotRequired[Texts]
    """What the profile puts in place of parts of the paper's recipe."""


@form
class Card(TypedDict):
    """One model: how it was trained, and all that was measured of it."""

    task: Text
    """Name of the task."""
    method: Text
    """Method of training, with ``+ssmba`` or ``+back-translation`` behind it where the text was
    augmented; ``unknown`` for a model that was not trained here."""
    seed: Whole | None
    """Seed of the run; null for a model that was not trained here."""
    encoder: Text
    """The pretrained encoder, or the name of a model that was not trained here."""
    flood_level: Amount | None
    """Flood level b in nats; null without one."""
    flood_level_source: LevelSource | None
    """Whether b was given, chosen by the grid search, found by gradient accordance, or fallen back
    on where accordance never crossed zero."""
    clean_accuracy: Rate | None
    """Accuracy on the test rows before any attack, of tags on their words; null before it is
    measured, and of a regression."""
    metrics: NotRequired[dict[Key, Number | None]]
    """The metrics of a task that is judged by others than accuracy, on the same rows: ``f1``,
    ``matthews``, ``pearson``, ``spearman``, ``accuracy``; null where one is undefined, as the
    correlation with predictions that are all the same."""
    clean_loss: NotRequired[Amount]
    """Mean loss on the test rows at the end of training, in nats."""
    clean_calibration_error: NotRequired[Rate]
    """Expected calibration error on the test rows at the end of training, 15 bins."""
    training_losses: NotRequired[TrainingLosses]
    """The losses of the training rows at the end."""
    train_seconds: Amount | None
    """Spent in training steps, the first graph compilation included, and on attacks between
    them."""
    seconds_per_epoch: Amount | None
    """Median over the epochs."""
    attacks: Attacks
    """Each attack under its key: ``RECIPE-PROFILE``, or ``RECIPE-PROFILE-calibrated``."""
    versions: dict[Key, Annotated[AnyText, Kind("a version as text")]]
    """Installed packages that the result depends on."""
    settings: NotRequired[dict[Key, Any]]
    """The settings that decide the outcome, flat: ``section.key``."""
    data: NotRequired[DataSizes]
    """What it was trained and tested on."""
    adversarial: NotRequired[list[AdversarialRound]]
    """What training attacked between epochs (methods a2t, a2t-mlm, bert-attack)."""
    search: NotRequired[GridSearch]
    """The grid search that chose the flood level."""
    accordance: NotRequired[Probed]
    """What gradient accordance said."""
    adaflood: NotRequired[AuxiliaryModels]
    """Where the rows' own flood levels come from."""
    epochs: NotRequired[list[Epoch]]
    """The models of single epochs, where they were kept and attacked."""
    analyses: NotRequired[Analyses]
    """What was measured beyond attacks."""
    model: NotRequired[Text]
    """Fingerprint of a model that was not trained here."""
    warnings: NotRequired[Sentences]
    """What makes the numbers doubtful, without a full stop."""
