"""What the card says of an attack, and of the victim where it is no classifier of the task."""

from mindflood.attack.results.identity import summary_of

IDENTITY = {"task": "sst2", "fingerprint": "f", "replaced": [], "seed": 0, "num_examples": 6}


def records(predictions, labels):
    """The victim's answers before the attack; None where it raised before it answered."""
    outcome = {None: "error", True: "failed", False: "skipped"}
    return [
        {
            "result": outcome[None if answer is None else answer == label],
            "queries": 1, "seconds": 0.1, "label": label, "original_prediction": answer,
        }
        for answer, label in zip(predictions, labels, strict=True)
    ]  # fmt: skip


def test_a_victim_that_tells_the_classes_apart_warns_of_nothing():
    summary = summary_of(records([0, 0, 1, 1, 0, None], [0, 0, 1, 1, 1, 1]), IDENTITY)
    assert "warnings" not in summary
    assert "warnings" not in summary_of([], IDENTITY)
    assert "warnings" not in summary_of(records([None], [1]), IDENTITY)


def test_swapped_heads_and_constant_answers_are_told():
    swapped = summary_of(records([1, 1, 0, 0, 0, 0], [0, 0, 1, 1, 1, 1]), IDENTITY)
    (said,) = swapped["warnings"]
    assert said.startswith("before the attack the accuracy of 0.0 % is below chance (50.0 %)")
    constant = summary_of(records([1, 1, 1, 1, 1, None], [0, 1, 1, 1, 1, 0]), IDENTITY)
    assert constant["warnings"] == ["before the attack the model answers 'positive' to every row"]
    one_class = summary_of(records([1, 1, 0], [1, 1, 1]), IDENTITY)
    assert one_class["warnings"] == ["before the attack all 3 rows have the label 'positive'"]
