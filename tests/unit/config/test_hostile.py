"""Config files that no honest user writes, and slips that one does: one line each, at once."""

import time
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from mindflood.cli import main
from mindflood.config.load import from_yaml, load_run_configs
from mindflood.config.settings import Config, to_yaml
from mindflood.errors import UserError
from mindflood.pipeline.grid_search import grid

BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{below}'] * 9)}]\n"
    for below, name in zip("abcdefgh", "bcdefghi", strict=True)
)
REFUSED = {
    "alias bomb": (f"{BOMB}name: *i\n", "line 2, column 8: an alias (*a)"),
    "alias": ("task: &t {name: sst2}\nsearch: *t\n", "line 2, column 9: an alias (*t)"),
    "duplicate section": (
        "task: {name: sst2, max_length: 64}\nseed: 1\ntask: {name: mrpc}\n",
        "line 3, column 1: the key 'task' is there twice",
    ),
    "duplicate key within": (
        "training:\n  epochs: 3\n  batch_size: 8\n  epochs: 4\n",
        "line 4, column 3: the key 'epochs' is there twice",
    ),
    "date that is none": ("training: {epochs: 2020-13-45}\n", "expected a whole number"),
    "date": ("seed: 2020-01-01\n", "seed: expected a whole number, not '2020-01-01'"),
    "float by tag": ("flood_level: !!float many\n", "line 1, column 14: a tag"),
    "object by tag": ("name: !!python/object/apply:os.system [id]\n", "line 1, column 7: a tag"),
    "binary by tag": ("name: !!binary aGk=\n", "a tag (tag:yaml.org,2002:binary)"),
    "400 digits": (f"training: {{learning_rate: {'9' * 400}}}\n", "a number of 400 characters"),
    "5,000 digits": (f"seed: {'1' * 5000}\n", "a number of 5000 characters"),
    "5,000 digits as text": (
        f"training: {{learning_rate: '{'1' * 5000}'}}\n",
        "training.learning_rate: expected a number, not '1111",
    ),
    "not finite": ("flood_level: .nan\n", "a number or flooding-x or flooding-x-online, not nan"),
    "1e400": ("training: {weight_decay: 1e400}\n", "expected a number, not '1e400'"),
    "number with a bare prefix": ("seed: 0x_\n", "seed: expected a whole number, not '0x_'"),
    "large seed": (f"seed: {2**70}\n", "seed: expected at most 4294967295"),
    "nested sections": ("x: " + "{x: " * 5000 + "}" * 5000, "more than 20 sections and lists"),
    "nested lists": ("x: " + "[" * 5000 + "]" * 5000, "more than 20 sections and lists"),
    "nested sequences": ("- " * 5000 + "x", "more than 20 sections and lists"),
    "list as a key": ("? [1, 2]\n: 3\n", "a list or section as a key"),
    "threads": ("training: {threads: 1000000000}\n", "training.threads: expected at most 1024"),
    "workers": ("attack: {workers: 4000000000}\n", "attack.workers: expected at most 1024"),
    "epochs": ("training: {epochs: 4000000000}\n", "training.epochs: expected at most 100000"),
    "batch size": ("training: {batch_size: 4000000000}\n", "training.batch_size: expected at most"),
    "levels": ("search: {step: 1e-300}\n", "search.step: expected at most 1000 levels"),
    "models": (
        f"seeds: {list(range(40))}\nmethods: {[{'name': f'm{i}'} for i in range(40)]}\n",
        "describes 1600 models, expected at most 500",
    ),
    "long value": (f"method: {'m' * 10000}\n", "unknown 'mmmm"),
    "long key": (f"{'k' * 1000}: 1\n", "unknown key 'kkkk"),
    "long list": (f"seed: {[1] * 10000}\n", "seed: expected a whole number, not [1, 1"),
    "long name": (f"name: {'n' * 5000}\n", "name: expected at most 200 bytes"),
    "half of a surrogate pair": ('output: "\\ud800"\n', "output: expected text"),
    "NUL in a path": ('task: {data: "a\\0b"}\n', "task.data: expected text"),
    "two documents": ("seed: 1\n---\nseed: 2\n", "line 2, column 1: but found another document"),
    "a tab": ("task:\n\tname: sst2\n", "line 2, column 1: "),
    "open bracket": ("seeds: [1, 2\n", "expected a YAML file: line 2"),
    "control character": ("name: a\x07b\n", "character 8: "),
    "a list": ("- 1\n- 2\n", "expected keys and values, found list"),
    "nothing": ("# only a remark\n", "the file is empty"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "told"), REFUSED.values(), ids=REFUSED)
def test_a_file_is_refused_in_a_line(tmp_path, monkeypatch, capsys, text, told):
    monkeypatch.chdir(tmp_path)
    Path("c.yaml").write_text(text, encoding="utf-8")
    started = time.monotonic()
    assert main(["train", "c.yaml"]) == 2
    assert time.monotonic() - started < 10
    message = capsys.readouterr().err
    assert message.startswith("mindflood: error: c.yaml: ")
    assert told in message
    assert message.count("\n") == 1
    assert len(message) < 400
    assert [path.name for path in tmp_path.iterdir()] == ["c.yaml"]


OVERRIDES = {
    "alias": (["task=[&a [], *a]"], "an alias (*a)"),
    "duplicate key": (["task={name: sst2, name: mrpc}"], "the key 'name' is there twice"),
    "the same word twice": (["seed=1", "training.epochs=2", "seed=2"], "seed is given twice"),
    "tag": (["flood_level=!!float x"], "a tag"),
    "digits": ([f"seed={'1' * 5000}"], "a number of 5000 characters"),
    "nesting": (["seed=" + "[" * 5000], "more than 20 sections and lists"),
    "deep key": [["training." + "x." * 5000 + "y=1"], "unknown key 'training.x'"],
    "threads": (["training.threads=1000000000"], "training.threads: expected at most 1024"),
    "within a value": (["training.epochs.x=1"], "'epochs' is no section"),
    "no value": (["x" * 10000], "expected section.key=value"),
}


@pytest.mark.parametrize(("words", "told"), OVERRIDES.values(), ids=OVERRIDES)
def test_an_override_is_refused_in_a_line(tmp_path, monkeypatch, capsys, words, told):
    monkeypatch.chdir(tmp_path)
    Path("c.yaml").write_text("training: {epochs: 3}\n", encoding="utf-8")
    assert main(["train", "c.yaml", *words]) == 2
    message = capsys.readouterr().err
    assert message.startswith("mindflood: error: ")
    assert told in message
    assert message.count("\n") == 1
    assert len(message) < 400


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"\xff\xfes\x00e\x00e\x00d\x00", "expected a YAML file: "),
        (b"# " + b"x" * 2**20, "longer than 256 KiB"),
        (b"\x80\x04K\x01.", "expected a YAML file: "),
    ],
    ids=["UTF-16", "a megabyte", "a pickle"],
)
def test_a_file_of_another_kind_is_refused_in_a_line(tmp_path, capsys, content, told):
    (tmp_path / "c.yaml").write_bytes(content)
    assert main(["train", str(tmp_path / "c.yaml")]) == 2
    message = capsys.readouterr().err
    assert told in message
    assert message.count("\n") == 1


@pytest.mark.parametrize(
    ("name", "told"),
    [(".", "a folder"), ("nothing.yaml", "no such file"), ("/dev/zero", "longer than 256 KiB")],
)
def test_what_is_no_file_is_refused_in_a_line(tmp_path, monkeypatch, capsys, name, told):
    monkeypatch.chdir(tmp_path)
    assert main(["train", name]) == 2
    message = capsys.readouterr().err
    assert told in message
    assert message.count("\n") == 1


def test_honest_values_stay_what_they_are(tmp_path):
    path = tmp_path / "c.yaml"
    path.write_text(
        'name: 2020-01-01\nseed: 4294967295\nencoder: "müller\'s"\nflood_level: null\n'
        "training: {learning_rate: 2e-5, weight_decay: 0, warmup: 1, keep_epochs: True}\n"
        "task: {data: '~x=*y &z !t', max_length: 128}\n",
        encoding="utf-8",
    )
    config = from_yaml(path)
    assert (config.name, config.seed, config.encoder) == ("2020-01-01", 2**32 - 1, "müller's")
    assert (config.training.learning_rate, config.training.weight_decay) == (2e-5, 0.0)
    assert (config.training.warmup, config.training.keep_epochs) == (1.0, True)
    assert (config.task.data, config.task.max_length) == ("~x=*y &z !t", 128)


KEYS = [
    "output", "method", "name", "flood_level", "seed", "seeds", "methods", "encoder",
    "encoder_layers", "device", "task", "training", "search", "accordance", "defence", "attack",
]  # fmt: skip
INNER = sorted(
    {key for value in vars(Config()).values() for key in getattr(value, "__dataclass_fields__", ())}
)
scalars = st.one_of(
    st.none(), st.booleans(), st.integers(), st.integers(-(10**400), 10**400), st.floats(),
    st.text(), st.dates(),
    st.sampled_from(["flooding", "freelb", "infobert", "flooding-x", "sst2", "~", "1e5", "0x", "<<",
                     "1:30", "last-3", "accordance", "textfooler", "offline", "bert-attack"]),
)  # fmt: skip
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(INNER) | st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=8,
)
mappings = st.dictionaries(st.sampled_from(KEYS), values, max_size=5)
dumped = mappings.map(lambda mapping: yaml.safe_dump(mapping, allow_unicode=True))
anything = st.text(alphabet=st.characters(codec="utf-8"), max_size=200)
pieces = st.lists(
    st.sampled_from(
        [*KEYS, *INNER, *":,\n[]{}&*!'|>#%@`-?.1\t \"", "- ", "? ", "&a", "*a", "!!int ", "!t ",
         "<<", "---\n", "\\ud800", "e9", "0x", "true", "~", "2020-01-01", "1:2"]
    ),
    max_size=40,
).map("".join)  # fmt: skip


def read(path: Path, words: list[str]) -> tuple[list[Config], str]:
    """The models of a file, or why it is refused."""
    try:
        return load_run_configs(path, words), ""
    except UserError as error:
        return [], str(error)


def check(folder: Path, text: str) -> None:
    """A text is a config, which loads back to the same, or is refused in one short line."""
    path = folder / "c.yaml"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    configs, refusal = read(path, [])
    assert bool(configs) != bool(refusal)
    assert "\n" not in refusal
    assert len(refusal) < 500 + len(str(path))
    for config in configs:
        path.write_text(to_yaml(config), encoding="utf-8")
        assert from_yaml(path) == config
        assert 1 <= len(grid(config.search)) <= 1001


texts = st.one_of(dumped, anything, pieces)
hostile = settings(
    deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


@settings(hostile, max_examples=300)
@given(texts)
@example("? {a: 1}\n: 2")
@example("!!map {}")
@example("- !<tag:yaml.org,2002:python/name:os.system> x")
@example("output: '~'\n")
@example('name: "\\x85\\u2028"\n')
def test_any_text_is_a_config_or_a_line(tmp_path, text):
    check(tmp_path, text)


@pytest.mark.slow
@settings(hostile, max_examples=20_000)
@given(texts)
def test_any_of_many_texts_is_a_config_or_a_line(tmp_path, text):
    check(tmp_path, text)


@settings(hostile, max_examples=200)
@given(st.lists(st.sampled_from([*KEYS, *(f"training.{key}" for key in INNER)]), max_size=3),
       st.lists(texts, min_size=3, max_size=3))  # fmt: skip
def test_any_override_is_a_setting_or_a_line(tmp_path, keys, given_values):
    path = tmp_path / "c.yaml"
    path.write_text("seed: 0\n")
    words = [f"{key}={value}" for key, value in zip(keys, given_values, strict=False)]
    configs, refusal = read(path, words)
    assert bool(configs) != bool(refusal)
    assert len(refusal) < 500 + len(str(path))
