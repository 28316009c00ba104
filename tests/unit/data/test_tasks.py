import pytest

from mindflood.data.tasks import TASKS, get_task
from mindflood.errors import UserError


def test_the_table_has_every_task() -> None:
    assert list(TASKS) == [
        "sst2",
        "mrpc",
        "qnli",
        "imdb",
        "ag_news",
        "mr",
        "rte",
        "cola",
        "yelp",
        "qqp",
        "mnli",
        "mnli_mismatched",
        "wnli",
        "ax",
        "corpus",
        "stsb",
        "arc_easy",
        "arc_challenge",
        "commonsense_qa",
        "qnli_ranking",
        "wnli_ranking",
        "pos",
    ]


@pytest.mark.parametrize(
    ("name", "columns", "labels", "split", "attacked"),
    [
        ("sst2", "sentence", "negative positive", "dev", None),
        ("mrpc", "sentence1 sentence2", "not_equivalent equivalent", "test", None),
        ("qnli", "question sentence", "entailment not_entailment", "dev", 800),
        ("imdb", "text", "negative positive", "test", 800),
        ("ag_news", "text", "World Sports Business Sci/Tech", "test", 800),
        ("rte", "sentence1 sentence2", "entailment not_entailment", "dev", None),
        ("cola", "sentence", "unacceptable acceptable", "dev", None),
        ("qqp", "question1 question2", "not_duplicate duplicate", "dev", None),
        ("mnli", "sentence1 sentence2", "entailment neutral contradiction", "dev", None),
        ("mnli_mismatched", "sentence1 sentence2", "entailment neutral contradiction", "dev", None),
        ("wnli", "sentence1 sentence2", "not_entailment entailment", "dev", None),
        ("ax", "sentence1 sentence2", "entailment neutral contradiction", "test", None),
    ],
    ids=lambda value: str(value),
)
def test_columns_labels_and_attacked_sample(
    name: str, columns: str, labels: str, split: str, attacked: int | None
) -> None:
    task = get_task(name)
    assert task.text_columns == tuple(columns.split())
    assert task.label_names == tuple(labels.split())
    assert task.num_labels == len(labels.split())
    assert (task.attacked_split, task.attacked_examples) == (split, attacked)


@pytest.mark.parametrize("name", TASKS)
def test_a_task_that_is_on_the_hub_has_labels_where_it_is_attacked(name: str) -> None:
    task = get_task(name)
    if name in ("corpus", "ax", "pos"):  # of which the hub has no labels
        assert task.hub is None
    else:
        assert task.hub is not None
        assert task.attacked_split in task.hub.splits


@pytest.mark.parametrize(("mistyped", "nearest"), [("sst-2", "sst2"), ("agnews", "ag_news")])
def test_a_mistyped_task_is_answered_with_the_nearest(mistyped: str, nearest: str) -> None:
    with pytest.raises(UserError, match=f"did you mean '{nearest}'.*known: sst2, mrpc"):
        get_task(mistyped)
