"""``mindflood run CONFIG``: train, export, attack every model of a config, and report.

Every stage continues where it was stopped, and so does the whole.
"""

import argparse
from pathlib import Path

from mindflood.config import Config
from mindflood.terminal import tell
from mindflood.training.command import add_arguments as add_arguments  # same as 'mindflood train'

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
    from mindflood import stages
    from mindflood.attack.catalogue import check_available
    from mindflood.attack.masked_lm_folder import chosen_masked_lm
    from mindflood.attack.runner import check_held_out
    from mindflood.config_file import load_run_configs
    from mindflood.data.tasks import get_task
    from mindflood.epochs import attack_epochs
    from mindflood.models.pretrained import described_encoder
    from mindflood.report import command as report
    from mindflood.training.run_folder import claim

    configs = load_run_configs(args.config, args.overrides)
    # What an attack lacks is told before hours of training, not after.
    for recipe, profile, pickles in {
        (recipe, config.attack.profile, config.attack.allow_pickles)
        for config in configs
        for recipe in _recipes(config)
    }:
        check_available(recipe, profile, allow_pickles=pickles)
    for named in {config.attack.masked_lm for config in configs}:
        if named is not None:
            chosen_masked_lm(named)
    # As are a depth that the encoder has not, and texts that are too few.
    for encoder, layers in {(config.encoder, config.encoder_layers) for config in configs}:
        described_encoder(encoder, layers)
    for task, settings in {
        (config.task, config.attack)
        for config in configs
        if isinstance(config.attack.temperature, str)
    }:
        check_held_out(get_task(task.name), settings, task.data)
    for number, config in enumerate(configs, start=1):
        folder = config.run_folder
        tell(f"[{number}/{len(configs)}] {folder}")
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
    for output in dict.fromkeys(config.output for config in configs):
        report.run(argparse.Namespace(folder=Path(output)))
    return 0
