"""MindSpore checkpoint to Hugging Face folder: ``python tools/export_torch.py RUN OUT``."""

import sys

from mindflood.cli import run_script

if __name__ == "__main__":
    sys.exit(run_script("export"))
