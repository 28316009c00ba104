"""Help, page and editor schema are made of the settings, and agree with them."""

import copy
import json
import re

import pytest
import yaml
from jsonschema import Draft202012Validator

from mindflood.cli import main
from mindflood.config.command import page
from mindflood.config.schema import json_schema, sections, values
from mindflood.config.settings import Config, to_yaml
from tests.conftest import ROOT
from tests.unit.config.test_config import CONFIGS, SECTIONS

SCHEMA = json_schema()


class Yaml12(yaml.SafeLoader):
    """YAML as editors read it: 2e-5 is a number."""

    yaml_implicit_resolvers = copy.deepcopy(yaml.SafeLoader.yaml_implicit_resolvers)


Yaml12.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"[-+]?\d+e[-+]?\d+"), list("0123456789")
)


def refusals(text: str) -> list[str]:
    validator = Draft202012Validator(SCHEMA)
    return [error.message for error in validator.iter_errors(yaml.load(text, Yaml12))]


def test_the_page_is_that_of_the_settings():
    written = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
    assert written == page(), "run: mindflood config --markdown > docs/configuration.md"


def test_the_page_has_every_key():
    listed = {key.name for section in sections() for key in section.keys}
    keys = set(yaml.safe_load(to_yaml(Config()))) - set(SECTIONS)
    for section in SECTIONS:
        keys |= {f"{section}.{key}" for key in yaml.safe_load(to_yaml(Config()))[section]}
    assert listed == keys | {"methods", "seeds"}
    assert all(f"| `{key}`" in page() for key in listed)


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.name)
def test_every_shipped_config_fits_the_schema(path):
    Draft202012Validator.check_schema(SCHEMA)
    assert not refusals(path.read_text())


def test_a_resolved_config_fits_the_schema():
    assert not refusals(to_yaml(Config()))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("trainig: {epochs: 3}", "'trainig' was unexpected"),
        ("training: {epoch: 3}", "'epoch' was unexpected"),
        ("training: {epochs: 0}", "less than the minimum of 1"),
        ("training: {dropout: 1}", "not valid under any"),
        ("accordance: {margin: 0.5}", "greater than or equal to the maximum of 0.5"),
        ("accordance: {parameters: last-0}", "does not match"),
        ("attack: {recipes: [textfoler]}", "'textfoler' is not one of"),
        ("methods: [flodding]", "not valid under any"),
        ("methods: [{method: flooding, flod_level: 0.1}]", "not valid under any"),
        ("flood_level: [-0.1]", "not valid under any"),
        ("seeds: [-1]", "not valid under any"),
    ],
)
def test_the_schema_refuses_what_mindflood_refuses(text, message):
    assert any(message in refusal for refusal in refusals(text)), refusals(text)


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ({"type": "integer", "minimum": 1, "maximum": 9}, "whole number (at least 1, at most 9)"),
        ({"type": "integer", "minimum": 1, "maximum": 2**32 - 1}, "whole number (at least 1)"),
        ({"anyOf": [{"type": "boolean"}, {"type": "null"}]}, "true, false or null"),
        ({"type": "array", "items": {"enum": ["a", "b"]}}, "list of: a, b"),
        ({"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1},
         "number (above 0, below 1)"),
    ],
)  # fmt: skip
def test_values_in_words(schema, words):
    assert values(schema) == words


def said(words: list[str], capsys) -> str:
    assert main(["config", *words]) == 0
    return capsys.readouterr().out


def test_the_verb_prints_keys_with_meaning_values_and_default(capsys):
    whole, part = said([], capsys), said(["training"], capsys)
    assert part in whole
    assert all(f"\n{section}: " in f"\n{whole}" for section in SECTIONS)
    assert "  training.epochs: 10\n      Passes over the training rows.\n" in part
    assert "      Values: whole number (at least 1, at most 100000).\n" in part
    assert "task.name" not in part
    assert said(["training.epochs"], capsys).count("Values: ") == 1
    assert json.loads(said(["--schema"], capsys)) == SCHEMA
    assert said(["--markdown"], capsys) == page()


@pytest.mark.parametrize(
    ("word", "told"),
    [
        ("trainig", "trainig: no such section or key; did you mean 'training'?"),
        ("epochs", "epochs: no such section or key; did you mean 'training.epochs'?"),
    ],
)
def test_an_unknown_section_is_one_line(capsys, word, told):
    assert main(["config", word]) == 2
    assert capsys.readouterr().err.startswith(f"mindflood: error: {told} (sections: general, task")
