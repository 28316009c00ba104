"""Searches side by side: same results as one after another, from fewer and fuller batches."""

import random

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mindflood.attack import searches
from mindflood.attack.searches import Broker, OutOfTimeError, PlannedSearch, run_searches


class Model:
    """Answers numbers with their squares, and keeps what it was asked."""

    def __init__(self, remembered=0, draws=True):
        self.batches = []
        self.draws = draws
        self.broker = Broker(self.squares, size=lambda query: 1, remembered=remembered)

    def squares(self, queries):
        self.batches.append(list(queries))
        if self.draws:  # what a model draws may not shift a search's own numbers
            random.random(), np.random.random(), torch.rand(1)
        if any(query < 0 for query in queries):
            raise ValueError(f"negative: {min(queries)}")
        return [query * query for query in queries]


def walk(seed, length, models):
    """A search whose way depends on its answers and on all three random generators."""
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)
    way, place = [], seed
    for _ in range(length):
        model = models[random.randrange(len(models))]
        queries = [place, place + int(np.random.randint(5)), place]
        answers = model.broker.ask(queries)
        assert answers == [query * query for query in queries]
        place = (sum(answers) + int(torch.randint(7, ()))) % 50
        way.append(place)
    return way


@settings(max_examples=50, deadline=None)
@given(
    lengths=st.lists(st.integers(0, 6), max_size=8),
    at_once=st.integers(1, 9),
    remembered=st.sampled_from([0, 3, 100]),
    max_size=st.integers(1, 12),
)
def test_every_search_takes_the_way_it_takes_alone(lengths, at_once, remembered, max_size):
    alone = [Model(draws=False), Model(draws=False)]
    expected = [walk(i, length, alone) for i, length in enumerate(lengths)]
    models = [Model(remembered), Model(remembered)]
    tasks = [
        PlannedSearch(lambda i=i, length=length: (i, walk(i, length, models)), size=length)
        for i, length in enumerate(lengths)
    ]
    found = [s.result for s in run_searches(tasks, at_once=at_once, max_size=max_size)]
    assert sorted(found) == list(enumerate(expected))
    for batch in models[0].batches + models[1].batches:
        assert len(batch) == len(set(batch))


def test_the_requests_of_all_searches_make_one_batch():
    model = Model()
    tasks = [PlannedSearch(lambda i=i: model.broker.ask([i, i + 1])) for i in range(3)]
    results = [search.result for search in run_searches(tasks, at_once=3)]
    assert model.batches == [[0, 1, 2, 3]]
    assert results == [[0, 1], [1, 4], [4, 9]]


def test_a_task_begins_only_when_there_is_room():
    model, begun = Model(), []

    def tasks():
        for number, size in enumerate([3, 2, 4, 1]):
            begun.append(number)
            yield PlannedSearch(lambda number=number: model.broker.ask([number]), size=size)

    searches = run_searches(tasks(), at_once=3, max_size=5)
    next(searches)
    assert begun == [0, 1]  # 3 + 2 words are in work
    assert len(list(searches)) == 3
    assert sorted(query for batch in model.batches for query in batch) == [0, 1, 2, 3]


def test_what_the_model_cannot_take_is_the_asker_s_alone():
    model = Model()

    def asks(query):
        try:
            return model.broker.ask([query])
        except ValueError as error:
            return str(error)

    tasks = [PlannedSearch(lambda query=query: asks(query)) for query in (2, -3, 4, -5)]
    results = [search.result for search in run_searches(tasks, at_once=4)]
    assert results == [[4], "negative: -3", [16], "negative: -5"]


def test_an_exception_of_a_search_comes_out_and_the_others_clean_up():
    model, cleaned = Model(), []

    def interrupted():
        model.broker.ask([1])
        raise KeyboardInterrupt

    def goes_on(number):
        try:
            while True:
                model.broker.ask([number])
        finally:
            cleaned.append(number)

    tasks = [
        PlannedSearch(lambda: goes_on(7)),
        PlannedSearch(interrupted),
        PlannedSearch(lambda: goes_on(8)),
    ]
    with pytest.raises(KeyboardInterrupt):
        list(run_searches(tasks, at_once=3))
    assert cleaned == [7, 8]


def test_the_caller_s_random_state_and_gradient_mode_stay():
    model = Model(draws=False)

    def disturbs():
        with torch.no_grad():
            random.random(), np.random.random(), torch.rand(1)
            model.broker.ask([1])

    def has_gradients():
        model.broker.ask([2])
        return torch.is_grad_enabled()

    def drawn():
        return random.random(), np.random.random(), torch.rand(1).item()

    random.seed(1), np.random.seed(1), torch.manual_seed(1)
    expected = drawn()
    random.seed(1), np.random.seed(1), torch.manual_seed(1)
    searches = run_searches([PlannedSearch(disturbs), PlannedSearch(has_gradients)], at_once=2)
    assert [search.result for search in searches] == [None, True]
    assert torch.is_grad_enabled()
    assert drawn() == expected


@pytest.fixture
def clock(monkeypatch):
    """A clock that stands still but for what a test lets pass."""
    now = [100.0]
    monkeypatch.setattr(searches, "perf_counter", lambda: now[0])

    def passes(seconds):
        now[0] += seconds

    return passes


def test_seconds_are_a_search_s_own_and_its_share_of_a_batch(clock):
    def slow(queries):
        clock(10.0 * len(queries))
        return queries

    broker = Broker(slow)

    def one(queries, own):
        clock(own)
        return broker.ask(queries)

    tasks = [PlannedSearch(lambda: one([1, 2, 3], 1.0)), PlannedSearch(lambda: one([4], 5.0))]
    first, second = run_searches(tasks, at_once=2)
    assert (first.seconds, second.seconds) == (1.0 + 30.0, 5.0 + 10.0)


def test_a_query_s_size_is_its_part_of_the_cost(clock):
    broker = Broker(lambda queries: [clock(6.0)] * len(queries), size=len)
    tasks = [PlannedSearch(lambda: broker.ask(["aaaaa"])), PlannedSearch(lambda: broker.ask(["b"]))]
    first, second = run_searches(tasks, at_once=2)
    assert (first.seconds, second.seconds) == (5.0, 1.0)


def test_a_search_that_has_used_up_its_seconds_is_told_so(clock):
    model = Model()

    def endless():
        asked = 0
        try:
            while True:
                clock(2.0)
                model.broker.ask([asked])
                asked += 1
        except OutOfTimeError:
            return asked

    tasks = [PlannedSearch(endless), PlannedSearch(lambda: model.broker.ask([3])[0])]
    found = [search.result for search in run_searches(tasks, at_once=2, max_seconds=9.0)]
    assert found == [9, 4]  # the brief one first; four requests fit into 9 seconds


def test_remembered_answers_are_not_asked_for_again_and_are_bounded():
    model = Model(remembered=2)
    assert model.broker.ask([1, 2]) == [1, 4]
    assert model.broker.ask([1]) == [1]  # 2 is now the oldest
    assert model.broker.ask([3]) == [9]
    assert model.broker.ask([1, 3]) == [1, 9]
    assert model.broker.ask([2]) == [4]
    assert model.batches == [[1, 2], [3], [2]]
