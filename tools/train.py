"""Train one model: ``python tools/train.py CONFIG [section.key=value ...]`` (also under msrun)."""

import sys

from mindflood.cli import run_script

if __name__ == "__main__":
    sys.exit(run_script("train"))
