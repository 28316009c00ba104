"""Attack a Hugging Face classifier; the same as ``mindflood attack``.

python tools/attack.py MODEL --task sst2 --recipe textfooler --out DIR
"""

import argparse
import sys

from mindflood.attack import command
from mindflood.errors import UserError


def main() -> int:
    """Run the command; a user's mistake is one line and exit status 2."""
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    try:
        return command.run(parser.parse_args())
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
