"""``mindflood train CONFIG``: one method, one seed."""

import argparse
import os
from pathlib import Path

from mindflood.terminal import say

EPILOG = """example:
  mindflood train configs/demo.yaml method=flooding flood_level=0.2 training.epochs=3

several devices of one machine (MindSpore's own launcher, one worker each):
  msrun --worker_num=2 --local_worker_num=2 tools/train.py configs/demo.yaml method=flooding-x
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of ``mindflood train``."""
    parser.add_argument("config", type=Path, metavar="CONFIG", help="YAML file of the experiment")
    parser.add_argument(
        "overrides",
        nargs="*",
        metavar="section.key=value",
        help="settings that replace those of the file; the value is YAML",
    )


def run(args: argparse.Namespace) -> int:
    """Train, or continue a RUN folder that is incomplete; prints the RUN folder."""
    from mindflood.config_file import load_train_config
    from mindflood.models.pretrained import described_encoder

    config = load_train_config(args.config, args.overrides)
    # A depth that the encoder has not is told before the RUN folder is this config's.
    described_encoder(config.encoder, config.encoder_layers)
    os.environ.setdefault("GLOG_v", "3")  # MindSpore's warnings about itself
    if config.method == "flooding-search":
        from mindflood.training.search import search as method
    elif config.two_passes:
        from mindflood.training.flooding_x import flooding_x as method
    else:
        from mindflood.training.loop import train as method
    say(str(method(config)))
    return 0
