"""Whether the adversarial texts of one model fool another (Papernot et al. 2016).

A search that fails on a model may be weak, or the model strong. Texts that other models' attacks of
the same recipe found keep the recipe's constraints for this model too: where one fools it although
its own attack gave up on that text, that attack was too weak. (A defence that falls to transferred
texts more than to its own attack hides its gradients: Athalye et al. 2018, §3.1.)
"""

from collections.abc import Iterable, Sequence
from pathlib import Path

from mindflood.analyse.subject import Subject
from mindflood.attack.results.finished import Attack, Record, attacks_in
from mindflood.attack.victim.folder import model_fingerprint
from mindflood.cards.attack_key import AttackKey
from mindflood.cards.schema import TransferAnalysis, TransferredAttack, TriedTexts
from mindflood.data.own import own_record
from mindflood.errors import UserError
from mindflood.progress import Display

_AT_ONCE = 512  # texts between two looks at the progress: enough for full batches
_SAME = {"examples": "other texts", "fingerprint": "another recipe", "columns": "other columns"}

Attacks = dict[str, Attack]  # under their keys on the card
Texts = tuple[str, ...]


def transfers(subjects: Sequence[Subject]) -> list[TransferAnalysis]:
    """Every model's adversarial texts tried on every other model.

    Returns:
        For each subject ``name`` (its long name) and ``attacks``: for each attack that all models
        have, its ``fingerprint``, ``num_examples`` (texts with an outcome), ``held`` (of them right
        under the model's own attack), ``fell`` (of these, fooled by a text of another model) and
        ``from``: for each other model how many of its successes were ``tried`` (this model is right
        on the original) and how many ``fooled`` it.

    Raises:
        UserError: there is one model only, two are of different tasks, labels or texts, one was
            not attacked (the command is named), or an attack is of another model or unfinished.
    """
    attacked = comparable(subjects)
    found: list[TransferAnalysis] = []
    for subject in subjects:
        others = {name: known for name, known in attacked.items() if name != subject.long_name}
        own = attacked[subject.long_name]
        predicted = _predictions(subject, _perturbed(own, others))
        result = {key: _outcome(own[key], key, others, predicted) for key in own}
        found.append({"name": subject.long_name, "attacks": result})
    return found


def comparable(subjects: Sequence[Subject]) -> dict[str, Attacks]:
    """Each model's attacks under its long name, those that all of them have.

    Raises:
        UserError: as :func:`transfers`.
    """
    if len(subjects) < 2:
        raise UserError(
            f"{subjects[0].folder}: one model alone; give two or more, whose texts are tried on "
            "each other"
        )
    found: dict[str, Attacks] = {}
    folders: dict[str, Path] = {}
    for subject in subjects:
        _check_task(subject, subjects[0])
        name = subject.long_name
        if name in found:
            raise UserError(
                f"{subject.folder}: called {name}, as {folders[name]} is; give each model once, "
                "and rename the folder of one of two"
            )
        found[name], folders[name] = _attacks_of(subject), subject.folder
    shared = set(next(iter(found.values())))
    for subject in subjects:
        attacks = found[subject.long_name]
        if not shared & set(attacks):
            raise UserError(f"{subject.folder}: {_lacks(subject, sorted(shared))}")
        shared &= set(attacks)
    alike = {name: {key: attacks[key] for key in sorted(shared)} for name, attacks in found.items()}
    _check_alike(alike)
    return alike


def _check_task(subject: Subject, first: Subject) -> None:
    if subject.task != first.task:
        raise UserError(
            f"{subject.folder}: a model of task {subject.task.name} "
            f"({', '.join(subject.task.label_names)}), and {first.folder} of {first.task.name} "
            f"({', '.join(first.task.label_names)}); compare models of one task"
        )


def _attacks_of(subject: Subject) -> Attacks:
    folder = subject.folder / "attacks"
    if not any(folder.glob("*.meta.json")):
        command = _command(subject, "textfooler")
        raise UserError(f"{subject.folder}: no attack in {folder}; make one with: {command}")
    found = {attack.key: attack for attack in attacks_in([folder])}
    model = model_fingerprint(Path(subject.model))
    for attack in found.values():
        if attack.identity["model"] != model:
            raise UserError(
                f"{attack.path}: an attack on another model (fingerprint "
                f"{attack.identity['model']}) than {subject.model} ({model}); attack that one"
            )
    return found


def _lacks(subject: Subject, shared: Sequence[str]) -> str:
    recipe = AttackKey.parse(shared[0]).recipe
    return (
        f"no attack that the models before it have ({', '.join(shared)}); make one with: "
        f"{_command(subject, recipe)}"
    )


def _command(subject: Subject, recipe: str) -> str:
    data = f" --data {subject.data}" if subject.data else ""
    task = f" --task {subject.task.name}"
    if (own := own_record(subject.task)) is not None:
        task = f" --text {' '.join(own['text'])} --label {own['label']}"
        task = task if subject.encoder is None else ""  # a run's config tells
    return (
        f"mindflood attack {subject.folder}{task}{data} --recipe {recipe} "
        f"--out {subject.folder / 'attacks'}"
    )


def _check_alike(attacked: dict[str, Attacks]) -> None:
    (_, first), *rest = attacked.items()
    for _, attacks in rest:
        for key, attack in attacks.items():
            mine, theirs = attack.identity, first[key].identity
            for name, what in _SAME.items():
                if mine.get(name) != theirs.get(name):
                    raise UserError(
                        f"{attack.path}: on {what} than {first[key].path} ({name} "
                        f"{mine.get(name)}, there {theirs.get(name)}); compare attacks of one "
                        "recipe on the same texts"
                    )


def _perturbed(own: Attacks, others: dict[str, Attacks]) -> list[Texts]:
    """The adversarial texts of the others whose originals this model has right, each once."""
    found: dict[Texts, None] = {}
    for attacks in others.values():
        for key, attack in attacks.items():
            right = _right(own[key].records)
            for index, record in attack.successes.items():
                if index in right:
                    found.setdefault(tuple(record["perturbed"]))
    return list(found)


def _right(records: Iterable[Record]) -> set[int]:
    """The rows that the model classifies right before any attack."""
    return {one["index"] for one in records if one.get("original_prediction") == one["label"]}


def _predictions(subject: Subject, texts: Sequence[Texts]) -> dict[Texts, int]:
    from mindflood.attack.victim.wrapper import Victim  # torch, after all that can be refused

    victim = Victim(subject.model, num_labels=subject.task.num_labels)
    victim.check_labels(subject.task.label_names)
    found: dict[Texts, int] = {}
    title = f"{subject.long_name}: {len(texts)} texts of the others"
    with Display(title, len(texts), 0, seconds_between_lines=30) as progress, victim.asked():
        for start in range(0, len(texts), _AT_ONCE):
            some = texts[start : start + _AT_ONCE]
            logits = victim([text[0] if len(text) == 1 else text for text in some])
            found |= zip(some, logits.argmax(dim=1).tolist(), strict=True)
            progress.advance("", len(some))
    return found


def _outcome(
    own: Attack, key: str, others: dict[str, Attacks], predicted: dict[Texts, int]
) -> TransferredAttack:
    right, fooled_on = _right(own.records), set()
    sources: dict[str, TriedTexts] = {}
    for name, attacks in others.items():
        tried = {i: one for i, one in attacks[key].successes.items() if i in right}
        fooled = {
            i for i, one in tried.items() if predicted[tuple(one["perturbed"])] != one["label"]
        }
        fooled_on |= fooled
        sources[name] = {"tried": len(tried), "fooled": len(fooled)}
    counted = [one for one in own.records if one["result"] in ("skipped", "succeeded", "failed")]
    held = {one["index"] for one in counted if one["result"] == "failed"}
    return {
        "fingerprint": own.identity["fingerprint"],
        "num_examples": len(counted),
        "held": len(held),
        "fell": len(held & fooled_on),
        "from": sources,
    }
