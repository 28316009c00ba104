"""Configs: every key is checked, overrides win, and a mistake is one clear line."""

import dataclasses
import re
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from mindflood.config.checks import checked
from mindflood.config.load import from_yaml, load_run_configs, load_train_config
from mindflood.config.settings import Config, SearchSettings, TrainingSettings, to_yaml
from mindflood.defences.registry import DEFENCE_METHODS
from mindflood.defences.settings import DEFENCES, LENGTHS
from mindflood.errors import UserError
from mindflood.fields import fields_of
from tests.conftest import ROOT

CONFIGS = sorted((ROOT / "configs").rglob("*.yaml"))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "c.yaml"
    path.write_text(
        "output: runs\ntask: {name: corpus}\nseeds: [0, 1]\n"
        "methods: [finetune, {method: flooding, flood_level: 0.1}]\n"
        "training: {epochs: 3, learning_rate: 5e-5}\n"
    )
    return path


def test_a_model_a_method_and_seed(file):
    folders = [str(config.run_folder) for config in load_run_configs(file, [])]
    assert folders == [
        "runs/finetune-seed0", "runs/finetune-seed1", "runs/flooding-seed0", "runs/flooding-seed1",
    ]  # fmt: skip


def test_a_number_that_yaml_reads_as_text_is_a_number(file):
    assert load_run_configs(file, [])[0].training.learning_rate == 5e-5


def test_overrides_choose_and_win(file):
    config = load_train_config(file, ["method=flooding", "seed=1", "flood_level=0.3"])
    assert (config.method, config.seed, config.flood_level) == ("flooding", 1, 0.3)
    assert config.training.epochs == 3


def test_runs_that_find_their_level_otherwise_are_no_seeds_of_each_other(file):
    rising, falling, plain, recorded = (
        load_train_config(file, [*words, "seed=0"]).conditions()
        for words in (
            ["method=flooding-x", "accordance.direction=rising"],
            ["method=flooding-x", "accordance.direction=falling"],
            ["method=finetune"],
            ["method=finetune", "accordance.record=true", "accordance.batches=3"],
        )
    )
    assert {key for key in rising if rising[key] != falling[key]} == {"accordance.direction"}
    assert plain == recorded  # the probe leaves the weights as they are
    held_out, on_test = (
        load_train_config(file, ["method=flooding-search", "seed=0", *more]).conditions()
        for more in ([], ["search.choose_on=test"])
    )
    assert {key for key in held_out if held_out[key] != on_test[key]} == {"search.choose_on"}


def test_a_list_of_levels_is_a_model_a_level(tmp_path):
    path = tmp_path / "c.yaml"
    path.write_text(
        "methods: [finetune, {method: flooding, flood_level: [0.02, 5e-1, 1]}]\nseeds: [0, 3]\n"
    )
    configs = load_run_configs(path, ["seed=3"])
    assert [(config.run_folder.name, config.flood_level) for config in configs] == [
        ("finetune-seed3", None),
        ("flooding-b0.02-seed3", 0.02), ("flooding-b0.5-seed3", 0.5), ("flooding-b1-seed3", 1.0),
    ]  # fmt: skip
    assert {config.method for config in configs[1:]} == {"flooding"}
    assert load_train_config(path, ["method=flooding-b0.5", "seed=0"]) == dataclasses.replace(
        configs[2], seed=0
    )
    assert len(load_run_configs(path, ["method=flooding"])) == 6
    one = load_train_config(path, ["method=flooding", "flood_level=0.7", "seed=0"])
    assert (one.name, one.flood_level) == (None, 0.7)
    two = load_run_configs(path, ["method=flooding", "flood_level=[0.7, 0.8]", "seed=0"])
    assert [config.name for config in two] == ["flooding-b0.7", "flooding-b0.8"]


def test_levels_may_stand_at_the_top_of_the_file_under_a_name(tmp_path):
    path = tmp_path / "c.yaml"
    path.write_text("method: flooding\nname: sweep\nflood_level: [0.1, 0.2]\n")
    assert [c.name for c in load_run_configs(path, [])] == ["sweep-b0.1", "sweep-b0.2"]
    assert [c.name for c in load_run_configs(path, ["method=flooding"])] == [
        "sweep-b0.1",
        "sweep-b0.2",
    ]


def test_several_models_need_a_choice(file):
    with pytest.raises(UserError, match=r"describes 4 models .* choose one with method="):
        load_train_config(file, [])


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("trainig.epochs=3", "unknown key 'trainig'; did you mean 'training'?"),
        ("training.epoch=3", "unknown key 'training.epoch'; did you mean 'epochs'?"),
        ("epochs=3", "unknown key 'epochs'; did you mean 'training.epochs'? (known: output, "),
        ("recipes=[bae]", "unknown key 'recipes'; did you mean 'attack.recipes'?"),
        ("search.epochs=3", "unknown key 'search.epochs'; did you mean 'training.epochs'?"),
        ("search.encoder_layers=3", "'search.encoder_layers'; did you mean 'adaflood.enc"),
        ("training.epochs=many", "training.epochs: expected a whole number, not 'many'"),
        ("training.epochs=2.5", "training.epochs: expected a whole number, not 2.5"),
        ("training.epochs=true", "training.epochs: expected a whole number, not True"),
        ("training.epochs=0", "training.epochs: expected at least 1, not 0"),
        ("training.schedule=cosine", "training.schedule: unknown 'cosine'"),
        ("training.dropout=1", "training.dropout: expected at least 0 and below 1, or null"),
        ("training.learning_rate=.nan", "training.learning_rate: expected a number, not nan"),
        ("training.buckets=64", "training.buckets: expected a list, not 64"),
        ("training=3", "training: expected a section of keys, not 3"),
        ("flood_level=-0.1", "flood_level: expected a number of at least 0, not -0.1"),
        ("method=flodding", "method: unknown 'flodding'; did you mean 'flooding'?"),
        ("attack.profile=online", "attack.profile: unknown 'online'; did you mean 'offline'?"),
        ("training.accumulation_steps=5", "expected a divisor of training.batch_size (32), not 5"),
        ("task.max_length=2", "task.max_length: expected at least 3, not 2"),
        ("task.name=sst-2", "task.name: unknown 'sst-2'; did you mean 'sst2'?"),
        ("attack.recipes=[textfoler]", "attack.recipes[0]: unknown 'textfoler'; did you mean"),
        ("search.recipe=pwsw", "search.recipe: unknown 'pwsw'"),
        ("attack.seed=-1", "attack.seed: expected at least 0, not -1"),
        ("name=../../elsewhere", "name: expected the name of a folder, without slashes"),
        ("output=3", "output: expected text, not 3"),
        ("output=''", "output: expected the path of a folder ('.' is the working folder), not ''"),
        ("output=' '", "output: expected the path of a folder"),
        ("attack.each_epoch=true", "attack.each_epoch: needs the models of the epochs; set"),
        ("attack.max_queries=0", "attack.max_queries: expected at least 1, not 0"),
        ("attack.candidates=8", "attack.candidates: only bert-attack has such a setting; leave"),
        ("attack.masked_lm=folder", "attack.masked_lm: only bert-attack, bae and a2t-mlm (off"),
        ("attack.max_seconds=0", "attack.max_seconds: expected more than 0, not 0"),
        ("attack.epoch_examples=0", "attack.epoch_examples: expected at least 1, not 0"),
        ("attack.columns=third", "attack.columns: unknown 'third'"),
        ("attack.columns=second", "attack.columns: task 'corpus' has a single text; leave it out"),
        ("attack.temperature=0", "attack.temperature: expected more than 0, not 0"),
        (
            "attack.temperature=hot",
            "attack.temperature: expected a number or fitted or weakest, not 'hot'",
        ),
        ("attack.held_out=valid", "attack.held_out: unknown 'valid'"),
        ("encoder_layers=0", "encoder_layers: expected at least 1, or null for all, not 0"),
        ("encoder_layers=two", "encoder_layers: expected a whole number, not 'two'"),
        ("=3", "expected section.key=value"),
        ("training.epochs", "expected section.key=value"),
        ("search.lower=0.3", "search.lower: expected at most search.upper (0.2), or there is no"),
        ("search.bounds=acordance", "search.bounds: unknown 'acordance'; did you mean 'accordance"),
        ("defence.steps=0", "defence.steps: expected at least 1, not 0"),
        ("defence.step_size=0", "defence.step_size: expected more than 0, not 0"),
        ("defence.radius=-0.1", "defence.radius: expected at least 0, not -0.1"),
        ("defence.magnitude=-1", "defence.magnitude: expected at least 0, not -1"),
        ("defence.norm=l1", "defence.norm: unknown 'l1'; did you mean 'l2'?"),
        ("defence.reuse_dropout=3", "defence.reuse_dropout: expected true or false, not 3"),
        ("defence.step=3", "unknown key 'defence.step'; did you mean 'steps'?"),
        ("accordance.batches=1", "accordance.batches: expected at least 2"),
        ("accordance.parameters=last-0", "expected all, encoder or last-N (layers), not 'last-0'"),
    ],
)
def test_a_mistake_is_one_clear_line(file, override, message):
    with pytest.raises(UserError) as mistake:
        load_train_config(
            file, ["methods=[{method: flooding, flood_level: 0.1}]", "seed=0", override]
        )
    assert message in str(mistake.value)
    assert "\n" not in str(mistake.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[1, 2]", "expected keys and values, found list"),
        ("", "the file is empty; expected keys and values"),
        ("# nothing but a comment", "the file is empty; expected keys and values"),
        ("a: [", "expected a YAML file"),
        ("methods: finetune", "methods: expected a list of method names"),
        ("methods: [finetune, finetune]", "two models would be written to runs/finetune-seed0"),
        ("seeds: 3", "seeds: expected a list of whole numbers, not 3"),
        ("method: flooding", "flood_level: 'flooding' needs one"),
        ("flood_level: 0.1", "flood_level: 'finetune' takes none"),
        ("{method: flooding, flood_level: []}", "flood_level: expected a number or a list of"),
        ("{method: flooding, flood_level: [0.1, x]}", "flood_level[1]: expected a number, not 'x'"),
        ("{method: flooding, flood_level: [0.1, 1e-1]}", "flood_level: 0.1 is listed more than"),
        ("{method: flooding, flood_level: [0.1, -1]}", "flood_level: expected a number of at"),
        ("flood_level: [0.1, 0.2]", "flood_level: 'finetune' takes none"),
    ],
)
def test_a_file_that_makes_no_sense(tmp_path, text, message):
    path = tmp_path / "c.yaml"
    path.write_text(text)
    with pytest.raises(UserError) as mistake:
        load_run_configs(path, [])
    assert message in str(mistake.value)
    assert str(path) in str(mistake.value)


def test_a_missing_file(tmp_path):
    with pytest.raises(UserError, match=r"nowhere\.yaml: no such file"):
        load_run_configs(tmp_path / "nowhere.yaml", [])


def test_a_config_that_would_run_code_is_refused(tmp_path):
    path = tmp_path / "c.yaml"
    path.write_text("output: !!python/object/apply:os.system ['echo run']\n")
    with pytest.raises(UserError, match="expected a YAML file"):
        load_run_configs(path, [])


@given(
    epochs=st.integers(1, 1000),
    rate=st.floats(1e-12, 1e3),
    norm=st.none() | st.floats(1e-6, 1e6),
    buckets=st.lists(st.integers(3, 512), min_size=1),
    name=st.none() | st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=1),
)
def test_a_resolved_config_loads_back_to_the_same(
    tmp_path_factory, epochs, rate, norm, buckets, name
):
    config = Config(
        name=name,
        training=TrainingSettings(
            epochs=epochs, learning_rate=rate, max_gradient_norm=norm, buckets=tuple(buckets)
        ),
    )
    path = tmp_path_factory.mktemp("config") / "config.yaml"
    path.write_text(to_yaml(config))
    assert from_yaml(path) == config


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_shipped_config_is_valid_and_names_its_command(path):
    assert load_run_configs(path, [])
    first = path.read_text().splitlines()[0]
    assert first.startswith(f"# mindflood run {path.relative_to(ROOT)}")


def test_the_study_s_configs_are_its_plan():
    """Sentences, epochs, rate and seeds of the page's table."""
    page = (ROOT / "docs" / "results" / "study.md").read_text()
    plan = re.findall(r"^\| [A-F] \|(.*)\| `(configs/study/.*)` \|$", page, re.MULTILINE)
    assert {name for _, name in plan} == {
        str(path.relative_to(ROOT)) for path in CONFIGS if path.parent.name == "study"
    }
    sizes = {"sst2_long": 2000, "sst2_wide": 10000, "sst2_mpnet": 4000, "ag_news": 8000}
    for cells, name in plan:
        data, _, training, methods, seeds = (cell.strip() for cell in cells.split("|"))
        configs = load_run_configs(ROOT / name, [])
        stem = Path(name).stem
        asked = {config.seed for config in configs}
        few = {"1 to 5": {1, 2, 3, 4, 5}, "1": asked if len(asked) == 1 else set()}
        assert asked == few.get(seeds, set(range(int(seeds[0]))))
        if training != "as A":
            epochs, rate = training.split(", ")
            assert {config.training.epochs for config in configs} == {int(epochs)}
            assert {config.training.learning_rate for config in configs} == {float(rate)}
            assert {config.task.train_examples for config in configs} == {sizes.get(stem)}
            if stem in sizes:
                assert f"{sizes[stem]:,}" in data
        else:
            first = load_run_configs(ROOT / "configs/study/sst2_long.yaml", [])[0]
            assert {(config.task, config.encoder) for config in configs} == {
                (first.task, first.encoder)
            }
            kept = dataclasses.replace(first.training, keep_epochs=True)
            assert {config.training for config in configs} == {kept}
        assert {(c.method, c.fixed_level) for c in configs} == set(planned(methods))
        few = {"sst2_long": (400, 1), "sst2_epochs": (100, 1)}.get(stem, (200, 0))
        assert {(c.attack.num_examples, c.attack.seed) for c in configs} == {few}
        recipes = ("textbugger",) if stem == "sst2_epochs" else ("textfooler", "textbugger")
        assert {c.attack.recipes for c in configs} == {recipes}
        calibrated = None if stem in ("sst2_long", "sst2_epochs") else "fitted"
        assert {c.attack.temperature for c in configs} == {calibrated}


def planned(cell):
    """Methods and levels of a cell such as: fine-tuning; flooding at 0.1, 0.2; freelb."""
    for part in cell.split("; "):
        names, _, levels = part.partition(" at ")
        for name in names.replace("fine-tuning", "finetune").split(" and "):
            for level in levels.split(", "):
                if name != "every epoch attacked":
                    yield name, float(level) if level else None


def test_the_small_configs_perturb_alike():
    """With the releases' η and mag PGD and FreeAT do not learn in so few steps.

    The taggers whose neurons are compared are another study, with a radius of its own.
    """
    small = [p for p in CONFIGS if p.stem.endswith("_small") and p.stem != "neurons_small"]
    assert len(small) == 7
    settings: dict[str, set[tuple]] = {}
    for path in small:
        for config in load_run_configs(path, []):
            if config.defends:
                given = config.defence
                parts = (given.steps, given.step_size, given.magnitude, given.radius)
                settings.setdefault(config.method, set()).add(parts)
    assert set(settings) == set(DEFENCES)
    assert {method: len(found) for method, found in settings.items()} == dict.fromkeys(DEFENCES, 1)


BATCH = {"sst2": 32, "mrpc": 32, "qnli": 16, "ag_news": 16, "imdb": 16}


@pytest.mark.parametrize("task", BATCH)
def test_the_paper_s_configs_are_in_the_paper_s_setting(task):
    """Flooding-X §4.3 and what its release trains with."""
    configs = load_run_configs(CONFIGS[0].with_name(f"{task}_paper.yaml"), [])
    assert {config.method for config in configs} >= {"finetune", "flooding-x", *DEFENCES}
    for config in configs:
        training, attack = config.training, config.attack
        assert (config.task.name, config.encoder) == (task, "bert-base-uncased")
        assert config.task.max_length == 512
        assert training.batch_size * training.accumulation_steps <= BATCH[task]
        assert training.learning_rate == 2e-5
        assert training.epochs * config.updates_per_batch == 10
        released = config.method in ("pgd", "tavat")
        assert training.weight_decay == (1e-6 if released else 0.01)
        warmup = 500 if released or config.method == "infobert" else 0.1
        assert training.warmup == warmup
        assert attack.recipes == ("textfooler", "bert-attack", "textbugger")
        assert attack.profile == "paper"
        if config.defends:
            assert config.defence.steps == (3 if config.method in ("pgd-at", "lds") else 5)


def test_a_defence_takes_its_own_defaults_and_what_it_is_told(tmp_path):
    path = tmp_path / "c.yaml"
    path.write_text("methods: [finetune, pgd, freelb]\ndefence: {radius: 0.2}\n")
    plain, pgd, freelb = load_run_configs(path, [])
    assert (plain.defends, plain.defence.steps) == (False, None)
    assert (pgd.defence.steps, pgd.defence.step_size, pgd.defence.radius) == (3, 0.03, 0.2)
    assert (freelb.defence.steps, freelb.defence.magnitude) == (5, 0.05)
    path.write_text(to_yaml(freelb))
    assert from_yaml(path) == freelb
    flooded = load_train_config(path, ["flood_level=0.1"])
    assert (flooded.method, flooded.flood_level) == ("freelb", 0.1)


def test_step_and_noise_of_pgd_at_follow_its_radius(tmp_path):
    path = tmp_path / "c.yaml"
    path.write_text("methods: [pgd-at, lds]\n")
    for config in load_run_configs(path, ["defence.radius=0.01"]):
        assert (config.defence.step_size, config.defence.magnitude) == (0.005, 0.01)
    with pytest.raises(UserError, match=r"defence\.step_size: 'pgd-at' takes it from defence\.rad"):
        load_train_config(path, ["method=pgd-at", "defence.radius=0"])
    with pytest.raises(UserError, match=r"defence\.magnitude: 'lds' needs more than 0"):
        load_train_config(path, ["method=lds", "defence.magnitude=0"])


@pytest.mark.parametrize("method", DEFENCES)
def test_linf_has_no_lengths_of_its_own(method, tmp_path):
    """The defaults are L2's, of the whole δ: 0.05 a coordinate would be √(L·d) times as far."""
    path = tmp_path / "c.yaml"
    path.write_text("encoder: embedded\n")
    words = [f"method={method}", "defence.norm=linf"]
    with pytest.raises(UserError) as caught:
        load_train_config(path, words)
    line = (
        "defence.step_size, defence.magnitude, defence.radius: expected numbers with defence.norm"
    )
    assert line in str(caught.value)
    assert "\n" not in str(caught.value)
    with pytest.raises(UserError, match=r": defence\.magnitude: expected numbers with"):
        load_train_config(path, [*words, "defence.step_size=0.001", "defence.radius=0"])
    lengths = ["defence.step_size=0.001", "defence.magnitude=0.002", "defence.radius=0"]
    found = load_train_config(path, [*words, *lengths])
    assert [getattr(found.defence, key) for key in LENGTHS] == [0.001, 0.002, 0.0]
    path.write_text(to_yaml(found))
    assert from_yaml(path) == found
    path.write_text("method: finetune\ndefence: {norm: linf}\n")
    load_train_config(path, [])  # a method without a ball


def test_l2_keeps_its_lengths(tmp_path):
    path = tmp_path / "c.yaml"
    path.write_text("method: tavat\ndefence: {norm: l2}\n")
    found = load_train_config(path, []).defence
    assert [getattr(found, key) for key in LENGTHS] == [0.03, 0.2, 0.5]


def test_a_defence_takes_the_level_of_a_first_pass(tmp_path):
    path = tmp_path / "c.yaml"
    path.write_text("methods: [{method: freelb, flood_level: flooding-x}]\n")
    config = load_train_config(path, [])
    assert (config.two_passes, config.needs_crossing, config.fixed_level) == (True, True, None)
    path.write_text(to_yaml(config))
    assert from_yaml(path) == config


@pytest.mark.parametrize("method", ["freelb", "yopo", "tavat", "infobert"])
def test_the_authors_variant_is_offered_where_it_differs(method, tmp_path):
    path = tmp_path / "c.yaml"
    path.write_text(f"method: {method}\n")
    assert load_train_config(path, []).defence.variant == "paper"
    assert load_train_config(path, ["defence.variant=release"]).defence.variant == "release"


@pytest.mark.parametrize(
    ("overrides", "line"),
    [
        (["task.name=pos"], "is for texts of a class or a number, not for a tagging"),
        (["task.name=commonsense_qa"], "is for texts of a class or a number, not for "),
        (["training.accumulation_steps=2"], "packs a whole batch; set training.accumulation_ste"),
    ],
)
def test_what_cannot_be_packed(overrides, line, tmp_path):
    path = tmp_path / "c.yaml"
    path.write_text("method: finetune\nattack: {recipes: []}\ntraining: {pack_texts: true}\n")
    with pytest.raises(UserError, match=f"training.pack_texts: {line}"):
        load_train_config(path, overrides)


@pytest.mark.parametrize(
    ("method", "override", "line"),
    [
        (
            "finetune",
            "flood_level=flooding-x",
            "for the defences and for iflood and softad; us",
        ),
        ("freelb", "flood_level=flooding-y", "or flooding-x or flooding-x-online, not 'floo"),
        ("freeat", "training.accumulation_steps=2", "'freeat' updates the weights within a batch"),
        ("tavat", "training.accumulation_steps=2", "'tavat' makes its vocabulary table of whole"),
        ("infobert", "training.accumulation_steps=2", "'infobert' contrasts the rows of a batch"),
        (
            "pgd",
            "training.pack_texts=true",
            "'pgd' perturbs each text in a row of its own; set false",
        ),
        ("freeat", "training.precision=float16", "'freeat' cannot take back an overflow"),
        ("lds", "training.precision=float16", "'lds' climbs the difference of two outputs"),
        ("lds", "training.precision=bfloat16", "'lds' climbs the difference of two outputs"),
        ("infobert", "training.batch_size=1", "'infobert' contrasts the rows of a batch; use at l"),
        ("yopo", "encoder_layers=1", "'yopo' steps through the first of several layers"),
        ("pgd", "defence.inner_steps=2", "'pgd' has none; leave it out"),
        ("pgd", "defence.variant=release", "'pgd' has none; leave it out"),
        ("freelb", "defence.normalise=false", "'freelb' has none; leave it out"),
        ("tavat", "defence.alpha=0.1", "'tavat' has none; leave it out"),
        ("infobert", "defence.beta=-1", "expected at least 0, not -1"),
        ("yopo", "defence.inner_steps=0", "expected at least 1, not 0"),
        ("tavat", "defence.variant=paperr", "unknown 'paperr'; did you mean 'paper'"),
        ("freeat", "defence.steps=0", "expected at least 1, not 0"),
        ("pgd", "defence.norm=l3", "unknown 'l3'"),
        ("pgd", "defence.radius=-0.1", "expected at least 0, not -0.1"),
    ],
)
def test_what_a_defence_cannot_be_told(method, override, line, tmp_path):
    path = tmp_path / "c.yaml"
    path.write_text("encoder: embedded\n")
    with pytest.raises(UserError) as caught:
        load_train_config(path, [f"method={method}", override])
    key = override.partition("=")[0]
    assert f"{key}: " in str(caught.value)
    assert line in str(caught.value)


SECTIONS = {name: field.annotation for name, field in fields_of(Config).items()
            if dataclasses.is_dataclass(field.annotation)}  # fmt: skip


def test_every_setting_says_what_it_means():
    sections = {"task", "training", "search", "accordance", "softad", "adaflood", "defence"}
    assert set(SECTIONS) == sections | {"adversarial", "augmentation", "attack"}
    for kind in (Config, *SECTIONS.values()):
        for name, field in fields_of(kind).items():
            if name not in SECTIONS:
                assert (field.description or "").endswith("."), f"{kind.__name__}.{name}"


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["method=iflood"], "flood_level: 'iflood' needs one, for instance 0.1, or flooding-x"),
        (["method=softad", "softad.scale=0"], "softad.scale: expected more than 0, not 0"),
        (["method=adaflood", "flood_level=0.1"], "flood_level: 'adaflood' gives every row its own"),
        (["method=adaflood", "flood_level=flooding-x"], "'adaflood' gives every row its own"),
        (["method=adaflood", "adaflood.gamma=1.5"], "expected a number from 0 to 1, not 1.5"),
        (["method=adaflood", "adaflood.gamma=-0.1"], "expected a number from 0 to 1, not -0"),
        (["method=adaflood", "adaflood.folds=1"], "adaflood.folds: expected at least 2, not 1"),
        (["method=adaflood", "adaflood.encoder_layers=0"], "encoder_layers: expected at least 1"),
        (["method=iflood", "flood_level=-1"], "flood_level: expected a number of at least 0"),
        (["method=finetune", "flood_rows=iflood"], "flood_rows: only the defences have it"),
        (["method=pgd", "flood_rows=iflod"], "flood_rows: unknown 'iflod'; did you mean 'iflood'"),
        (["method=pgd", "flood_rows=iflood"], "flood_level: 'iflood' needs one"),
        (["method=pgd", "flood_rows=adaflood", "flood_level=1"], "'adaflood' gives every row"),
        *(
            (
                [f"method={name}", "flood_rows=iflood", "flood_level=0.1"],
                f"flood_rows: '{name}' {row.no_rows}; use pgd, pgd-at, freelb, tavat",
            )
            for name, row in DEFENCE_METHODS.items()
            if row.no_rows
        ),
    ],
)  # fmt: skip
def test_what_a_method_of_rows_cannot_be_told(words, line, tmp_path):
    path = tmp_path / "c.yaml"
    path.write_text("encoder: embedded\n")
    with pytest.raises(UserError) as caught:
        load_train_config(path, words)
    assert str(caught.value).startswith(f"{path}: ")
    assert line in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (["method=iflood", "flood_level=0.1"], ("iflood", False, False, 0.1)),
        (["method=softad", "flood_level=flooding-x"], ("softad", True, False, None)),
        (["method=iflood", "flood_level=flooding-x-online"], ("iflood", False, True, None)),
        (["method=adaflood"], ("adaflood", False, False, None)),
        (["method=pgd", "flood_rows=adaflood"], ("adaflood", False, False, None)),
        (
            ["method=tavat", "flood_rows=softad", "flood_level=flooding-x"],
            ("softad", True, False, None),
        ),
        (["method=lds", "flood_level=flooding-x-online"], (None, False, True, None)),
    ],
)
def test_a_method_of_rows_says_where_its_level_is_from(words, found, tmp_path):
    path = tmp_path / "c.yaml"
    path.write_text("encoder: embedded\n")
    config = load_train_config(path, words)
    assert (config.row_method, config.two_passes, config.online, config.fixed_level) == found
    assert config.needs_crossing == (config.two_passes or config.online)
    path.write_text(to_yaml(config))
    assert from_yaml(path) == config
    # Seeds of one way to train, and of no other.
    rows = {"flood_rows": config.flood_rows} if config.defends and config.flood_rows else {}
    level = {"flood_level": config.flood_level} if isinstance(config.flood_level, str) else {}
    assert {key: value for key, value in config.conditions().items() if "." not in key} == (
        rows | level
    )
    sections = {key.partition(".")[0] for key in config.conditions()}
    assert sections & {"softad", "adaflood"} == {config.row_method} - {None, "iflood"}


def test_a_settings_class_is_checked_wherever_it_is_made():
    with pytest.raises(ValidationError, match="seed"):
        dataclasses.replace(Config(), seed=-1)
    with pytest.raises(ValidationError, match="epochs"):
        TrainingSettings(epochs=0)
    with pytest.raises(ValidationError, match="epoch"):
        TrainingSettings(epoch=3)
    with pytest.raises(dataclasses.FrozenInstanceError):
        Config().seed = 3


@pytest.mark.parametrize("method", ["flooding-x", "flooding-x-online", "flooding-search"])
def test_a_run_too_short_for_a_crossing_is_refused(method):
    short = Config(method=method, training=TrainingSettings(epochs=1))
    short = dataclasses.replace(short, search=SearchSettings(bounds="accordance"))
    with pytest.raises(UserError, match=r"sub_epochs: expected at least 4 in the run's 1"):
        checked(short, "c.yaml")
    checked(dataclasses.replace(short, training=TrainingSettings(epochs=2)), "c.yaml")
    checked(dataclasses.replace(short, method="finetune"), "c.yaml")


def test_checked_names_the_source():
    broken = dataclasses.replace(Config(), flood_level=0.1)
    with pytest.raises(UserError, match=r"c\.yaml: flood_level: 'finetune' takes none"):
        checked(broken, "c.yaml")


def test_yaml_of_a_config_has_no_python_in_it():
    assert isinstance(yaml.safe_load(to_yaml(Config())), dict)


def test_settings_of_a_recipe_are_taken_where_it_is_made(write_config):
    config = load_train_config(
        write_config(),
        ["attack.recipes=[bae, bert-attack]", "attack.profile=offline", "attack.candidates=8",
         "attack.masked_lm=folder"],
    )  # fmt: skip
    assert (config.attack.candidates, config.attack.masked_lm) == (8, "folder")
    with pytest.raises(UserError, match=r"attack\.candidates: expected at least 1, not 0"):
        load_train_config(write_config(), ["attack.recipes=[bert-attack]", "attack.candidates=0"])
    with pytest.raises(UserError, match=r"attack\.masked_lm: only"):  # the paper's asks BERT
        load_train_config(
            write_config(),
            ["attack.recipes=[bae]", "attack.masked_lm=folder", "attack.profile=paper"],
        )


ALTINISIK = {
    "finetune", "finetune+ssmba", "finetune+back-translation", "a2t", "a2t-mlm", "bert-attack",
    "lds", "pgd-at",
}  # fmt: skip


@pytest.mark.parametrize("task", ["mr", "imdb"])
def test_altinisik_s_configs_are_in_the_paper_s_setting(task):
    """Four epochs, S = 3, ε = 0.003, and for the rest A2T's release."""
    configs = load_run_configs(CONFIGS[0].with_name(f"altinisik_{task}.yaml"), [])
    assert {config.trained_as for config in configs} == ALTINISIK
    for config in configs:
        training, adversarial = config.training, config.adversarial
        assert (config.task.name, config.encoder) == (task, "bert-base-uncased")
        assert (training.epochs, training.batch_size, training.learning_rate) == (4, 8, 5e-5)
        assert (adversarial.gamma, adversarial.alpha, adversarial.clean_epochs) == (0.2, 1.0, 1)
        assert (adversarial.interval, adversarial.max_queries) == (1, 200)
        assert set(config.attack.recipes) == {"textfooler", "a2t", "bae", "pso"}
        assert config.attack.profile == adversarial.profile == "paper"
        if config.defends:
            assert (config.defence.steps, config.defence.radius) == (3, 0.003)


def test_what_trains_in_the_input_space_keeps_its_settings(tmp_path):
    path = tmp_path / "c.yaml"
    path.write_text("methods: [finetune, bert-attack, {method: pgd, augment: ssmba, name: s}]\n")
    plain, attacked, augmented = load_run_configs(path, ["adversarial.candidates=8"])
    assert attacked.conditions()["adversarial.candidates"] == 8
    assert attacked.kept()["adversarial.gamma"] == 0.2
    assert "adversarial.workers" not in attacked.kept()
    assert not any(key.startswith(("adversarial.", "augmentation.")) for key in plain.kept())
    assert augmented.conditions()["augmentation.corruption"] == 0.15
    assert [config.trained_as for config in (plain, attacked, augmented)] == [
        "finetune", "bert-attack", "pgd+ssmba"
    ]  # fmt: skip
    settings = attacked.attack_to_train(tmp_path / "model", None)
    assert (settings.recipe, settings.candidates, settings.max_queries) == ("bert-attack", 8, 200)
    path.write_text(to_yaml(augmented))
    assert from_yaml(path) == augmented
