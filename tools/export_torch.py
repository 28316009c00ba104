"""MindSpore checkpoint to Hugging Face folder: ``python tools/export_torch.py RUN OUT``."""

import sys

from mindflood.cli import run_script

sys.exit(run_script("export"))
