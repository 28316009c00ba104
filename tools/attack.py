"""Attack a classifier: ``python tools/attack.py MODEL --task T --recipe R --out OUT``."""

import sys

from mindflood.cli import run_script

sys.exit(run_script("attack"))
