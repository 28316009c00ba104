"""``python -m mindflood`` is the command line."""

import sys

from mindflood.cli import main

sys.exit(main())
