"""Put what an experiment found where it can be committed: cards, and its records packed.

    python tools/keep_results.py runs/compare-small results/compare_small

copies of every RUN folder the card, the resolved config, the trace, the evaluations, the accordance
and the attacks' records, those of lines packed with gzip; ``mindflood report`` reads them there.
Weights, checkpoints and data stay where they are, and of a path from the root or from home, which
is of one machine, the config keeps the last name.
"""

import argparse
import shutil
import sys
from pathlib import Path
from typing import Any

import yaml

from mindflood.cards.cards import find_cards
from mindflood.config.strict_yaml import StrictYamlError, load
from mindflood.errors import UserError
from mindflood.files import write_text
from mindflood.stored import store, stored

_LINES = (
    "trace.jsonl", "evaluations.jsonl", "accordance.jsonl", "row_losses.jsonl", "attacks/*.jsonl",
)  # fmt: skip
_WHOLE = ("card.json", "attacks/*.meta.json")


def keep(runs: Path, to: Path) -> int:
    """Copy the results below ``runs`` to the same places below ``to``; returns the number of runs.

    What is kept at ``to`` already, of other runs, stays: an experiment may be kept seed by seed.

    Raises:
        UserError: there is no card below ``runs``, a config is no YAML, or one of the runs is at
            ``to`` already; then nothing is written.
    """
    folders = [card.parent for card in find_cards(runs)]
    configs = {path: _settings(path) for one in folders for path in one.glob("config.yaml")}
    for folder in folders:
        if (place := to / folder.relative_to(runs) / "card.json").exists():
            raise UserError(f"{place}: is there; move its folder away, or name another")
    for folder in folders:
        place = to / folder.relative_to(runs)
        place.mkdir(parents=True, exist_ok=True)
        for path in (found for pattern in _WHOLE for found in folder.glob(pattern)):
            (place / path.relative_to(folder)).parent.mkdir(exist_ok=True)
            shutil.copyfile(path, place / path.relative_to(folder))
        for path in (found for pattern in _LINES for found in folder.glob(pattern)):
            store(path, stored(place / path.relative_to(folder)))
    for path, settings in configs.items():
        write_text(to / path.relative_to(runs), yaml.safe_dump(settings, sort_keys=False))
    return len(folders)


def _settings(config: Path) -> Any:
    try:
        return _of_any_machine(load(config.read_text("utf-8")))
    except (OSError, UnicodeDecodeError, StrictYamlError) as error:
        raise UserError(f"{config}: expected a YAML file: {error}") from None


def _of_any_machine(value: Any) -> Any:
    """The settings, of paths from the root or from home the last names."""
    if isinstance(value, dict):
        return {key: _of_any_machine(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_of_any_machine(one) for one in value]
    return Path(value).name if isinstance(value, str) and value.startswith(("/", "~/")) else value


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("runs", type=Path)
    parser.add_argument("to", type=Path)
    args = parser.parse_args()
    try:
        print(f"{args.to}: {keep(args.runs, args.to)} runs")
    except UserError as error:
        print(f"keep_results: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
