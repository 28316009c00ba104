"""Attack a classifier: ``python tools/attack.py MODEL --task T --recipe R --out OUT``."""

import sys

from mindflood.cli import run_script

if __name__ == "__main__":  # the attack's workers import this file again
    sys.exit(run_script("attack"))
