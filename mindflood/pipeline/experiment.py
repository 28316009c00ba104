"""``mindflood run CONFIG``: train, export, attack every model of a config, and report.

Every stage continues where it was stopped, and so does the whole.
"""

import argparse
import contextlib
from pathlib import Path

from mindflood.config.settings import Config
from mindflood.errors import UserError
from mindflood.pipeline.train_command import (
    add_arguments as add_arguments,  # same as 'mindflood train'
)
from mindflood.terminal import tell

EPILOG = """example:
  mindflood run configs/demo.yaml

The same command continues an experiment that was stopped, at any point.
"""


def _recipes(config: Config) -> list[str]:
    """The attacks on the model, and the one that ranks a grid search's candidates."""
    searched = [config.search.recipe] if config.method == "flooding-search" else []
    return [*config.attack.recipes, *searched]


def run(args: argparse.Namespace) -> int:
    """Run the experiment; prints the comparison tables and where the reports are."""
    from mindflood.config.load import load_run_configs, with_labels
    from mindflood.interrupts import stopped
    from mindflood.locks import held
    from mindflood.report import command as report
    from mindflood.training.run_folder import check_claim

    configs = with_labels(load_run_configs(args.config, args.overrides))
    outputs = list(dict.fromkeys(config.output for config in configs))
    for config in configs:
        check_claim(config.run_folder, config)
    _check(configs)
    with contextlib.ExitStack() as stack:
        for config in configs:  # also those that come later: who came first goes on undisturbed
            stack.enter_context(held(config.run_folder))
        try:
            for number, config in enumerate(configs, start=1):
                tell(f"[{number}/{len(configs)}] {config.run_folder}")
                _model(config)
        except KeyboardInterrupt:
            raise KeyboardInterrupt(stopped(", ".join(outputs))) from None
    for output in outputs:
        report.run(argparse.Namespace(folder=Path(output)))
    return 0


def _check(configs: list[Config]) -> None:
    """What an attack lacks, or an encoder, is told before hours of training, not after.

    Raises:
        UserError: a model could not be trained or attacked to the end.
    """
    from mindflood.attack.resources.downloads import check_available
    from mindflood.attack.resources.masked_lm_folder import chosen_masked_lm
    from mindflood.attack.runner import check_held_out
    from mindflood.kinds import check_classification
    from mindflood.models.pretrained import described_encoder
    from mindflood.pipeline.train_command import check_to_train

    for config in configs:
        if config.attack.recipes:
            try:
                check_classification("attacks", f"task {config.task.name}", config.task.kind)
            except UserError as error:
                raise UserError(f"attack.recipes: {error}; set attack.recipes=[]") from None
    for recipe, profile, pickles in {
        (recipe, config.attack.profile, config.attack.allow_pickles)
        for config in configs
        for recipe in _recipes(config)
    }:
        check_available(recipe, profile, allow_pickles=pickles)
    for config in configs:
        check_to_train(config)
    for named in {config.attack.masked_lm for config in configs}:
        if named is not None:
            chosen_masked_lm(named)
    for encoder, layers in {(config.encoder, n) for config in configs for n in config.depths}:
        described_encoder(encoder, layers)
    for config in {(config.task, config.attack): config for config in configs}.values():
        attack = config.attack
        for recipe in attack.recipes[:1] if isinstance(attack.temperature, str) else ():
            model, number = config.run_folder / "model", attack.num_examples
            check_held_out(config.attack_on(model, recipe, number, calibrated=True))


def _model(config: Config) -> None:
    """Train, export and attack one model, as far as that is not done yet."""
    from mindflood.pipeline import stages
    from mindflood.pipeline.epochs import attack_epochs
    from mindflood.training.run_folder import claim

    folder = config.run_folder
    claim(folder, config)
    stages.train(folder / "config.yaml")
    stages.export(folder)
    for recipe in config.attack.recipes:
        stages.attack(folder, config, recipe, config.attack.num_examples)
        if config.attack.temperature is not None:
            examples = config.attack.num_examples
            stages.attack(folder, config, recipe, examples, calibrated=True)
    if config.attack.each_epoch:
        attack_epochs(folder, config)
