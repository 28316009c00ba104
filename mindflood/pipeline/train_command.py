"""``mindflood train CONFIG``: one method, one seed."""

import argparse
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from mindflood.files import user_path

if TYPE_CHECKING:
    from mindflood.config.settings import Config

from mindflood.terminal import say

EPILOG = """example:
  mindflood train configs/demo.yaml method=flooding flood_level=0.2 training.epochs=3

several devices of one machine (MindSpore's own launcher, one worker each):
  msrun --worker_num=2 --local_worker_num=2 tools/train.py configs/demo.yaml method=flooding-x
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of ``mindflood train``."""
    parser.add_argument(
        "config", type=user_path, metavar="CONFIG", help="YAML file of the experiment"
    )
    parser.add_argument(
        "overrides",
        nargs="*",
        metavar="section.key=value",
        help="settings that replace those of the file; the value is YAML",
    )


def run(args: argparse.Namespace) -> int:
    """Train, or continue a RUN folder that is incomplete; prints the RUN folder."""
    from mindflood.interrupts import stoppable

    with stoppable() as work:
        from mindflood.config.load import load_train_config, with_labels
        from mindflood.models.pretrained import described_encoder
        from mindflood.training.run_folder import is_complete

        (config,) = with_labels([load_train_config(args.config, args.overrides)])
        # A depth that the encoder has not is told before the RUN folder is this config's.
        for layers in config.depths:
            described_encoder(config.encoder, layers)
        if not is_complete(config):
            check_to_train(config)
        work.where = config.run_folder
        say(str(_trained(config)))
    return 0


def check_to_train(config: "Config") -> None:
    """What a method or an augmentation lacks is told before any epoch is trained.

    Raises:
        UserError: it lacks something.
    """
    from mindflood.attack.chosen import check_ray
    from mindflood.attack.resources.downloads import check_available
    from mindflood.attack.resources.masked_lm_folder import chosen_masked_lm
    from mindflood.augment import apertium

    adversarial, augmentation = config.adversarial, config.augmentation
    named = {}
    if config.in_input_space:
        pickles = adversarial.allow_pickles
        check_available(config.method, adversarial.profile, allow_pickles=pickles)
        if adversarial.ray:
            check_ray("adversarial.ray")
        named["adversarial.masked_lm"] = adversarial.masked_lm
    if config.augment == "ssmba":
        named["augmentation.masked_lm"] = augmentation.masked_lm
    if config.augment == "back-translation" and augmentation.translator == "apertium":
        apertium.check_pivots(augmentation.pivots)
    for key, folder in named.items():
        if folder is not None:
            chosen_masked_lm(folder, key)


def _trained(config: "Config") -> Path:
    """The RUN folder, trained to its end; whether it is another's is told at once."""
    from mindflood.training import parallel
    from mindflood.training.run_folder import at_work, check_claim

    # Only MindSpore can tell which of the workers is to hold the folder, and a search first asks
    # whether its attack can be had.
    alone = config.method == "flooding-search" or config.in_input_space
    if parallel.several() or alone:
        check_claim(config.run_folder, config)
        return _method(config)(config)
    with at_work(config) as complete:
        return config.run_folder if complete else _method(config)(config)


def _method(config: "Config") -> "Callable[[Config], Path]":
    os.environ.setdefault("GLOG_v", "3")  # MindSpore's warnings about itself
    if config.method == "flooding-search":
        from mindflood.pipeline.grid_search import search

        return search
    if config.in_input_space:
        from mindflood.pipeline.input_space import train_on_adversarial

        return train_on_adversarial
    if config.two_passes:
        from mindflood.training.flooding_x import flooding_x

        return flooding_x
    if config.has_own_levels:
        from mindflood.training.adaflood import adaflood

        return adaflood
    from mindflood.training.loop import train

    return train
