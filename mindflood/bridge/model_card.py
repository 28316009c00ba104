"""The README.md of an exported model: what it is, how it was trained, what was measured."""

from collections.abc import Sequence

from mindflood.cards.cards import AttackSummary, Card
from mindflood.cards.rates import accuracy_under_attack
from mindflood.kinds import Kind
from mindflood.metrics import TITLES
from mindflood.report.tables.render import escape_markdown

_HEAD = """---
library_name: transformers
pipeline_tag: {pipeline}
tags:
- mindspore
- mindflood
- adversarial-robustness
---

# {title}
"""
_PIPELINES: dict[Kind, tuple[str, str]] = {
    "classification": ("text-classification", "Text classifier"),
    "regression": ("text-classification", "Text regression"),
    "choice": ("multiple-choice", "Multiple choice"),
    "tagging": ("token-classification", "Tagger"),
}


def model_card(
    card: Card | None,
    task: str,
    check: str,
    warnings: Sequence[str] = (),
    epoch: str = "",
    *,
    kind: Kind = "classification",
    marks: tuple[str, str] | None = None,
) -> str:
    """Markdown with task, method, flood level and results; ``card`` is None for a bare checkpoint.

    Numbers of the offline profile of an attack, or of an encoder other than BERT-base, are named
    as such.

    Args:
        check, warnings: sentences without a full stop: how the logits agree, what is doubtful.
        kind, marks: of the task.
        epoch: ("3 of 10") tells the model of an epoch from the final one.
    """
    method = f" by {card['method']}" if card else ""
    pipeline, what = _PIPELINES[kind]
    title = escape_markdown(f"{what} for {task}, trained{method} in MindSpore")
    lines = [_HEAD.format(title=title, pipeline=pipeline)]
    lines += [f"> **Warning:** {escape_markdown(warning)}.\n" for warning in warnings]
    if card:
        level = "none" if card["flood_level"] is None else f"{card['flood_level']:g}"
        lines += [
            f"- Task: {escape_markdown(card['task'])}",
            f"- Method: {escape_markdown(card['method'])} (flood level: {level}; "
            f"seed {card['seed']})",
            f"- Encoder: {escape_markdown(card['encoder'])}",
        ]
        if epoch:
            lines.append(f"- Weights: those after epoch {epoch}, not the final ones")
        if card["clean_accuracy"] is not None:
            lines.append(f"- Clean accuracy: {100 * card['clean_accuracy']:.1f} %")
        lines += [
            f"- {TITLES.get(name, name)}: {'undefined' if value is None else f'{value:.3f}'}"
            for name, value in ({} if epoch else card.get("metrics", {})).items()
            if name != "accuracy"
        ]
        lines += [_attack_line(key, summary) for key, summary in card["attacks"].items()]
    if marks is not None:
        question, answer = marks
        lines += [
            "",
            "A question is asked with each of its choices, as two texts; of a RoBERTa as one: "
            f"`{question}QUESTION</s>{answer}CHOICE`.",
        ]
    lines += ["", f"When this folder was written: {check}."]
    if card and any("-offline" in key for key in card["attacks"]):
        lines += ["", "The offline profile of an attack is not the papers' profile of it."]
    return "\n".join(lines) + "\n"


def _attack_line(key: str, summary: AttackSummary) -> str:
    rate, number = accuracy_under_attack(summary), summary["accuracy_under_attack"]
    shown = "not measured" if number is None else f"{100 * number:.1f} %"
    if rate is not None and rate.is_open:
        shown = f"between {100 * rate.low:.1f} and {100 * rate.high:.1f} % (undecided attacks)"
    of = f"{shown} of {summary['num_examples']} examples"
    return f"- Accuracy under attack, {escape_markdown(key)}: {of}"
