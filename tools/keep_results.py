"""Put what an experiment found where it can be committed: cards, and its records packed.

    python tools/keep_results.py runs/compare-small results/compare_small

copies of every RUN folder the card, the resolved config, the trace, the evaluations, the
accordance, what is told of augmented rows and the attacks' records, those of lines packed with
gzip; ``mindflood report`` reads them there. Weights, checkpoints and data stay where they are, and
of a path from the root or from home, which is of one machine, the last name alone is kept: in the
config, and as the card's encoder.
"""

import argparse
import shutil
import sys
from pathlib import Path
from typing import Any

import yaml

from mindflood.cards.cards import Card, find_cards, read_card, write_card
from mindflood.config.strict_yaml import StrictYamlError, load
from mindflood.errors import UserError
from mindflood.files import write_text
from mindflood.stored import store, stored

_LINES = (
    "trace.jsonl", "evaluations.jsonl", "accordance.jsonl", "row_losses.jsonl", "attacks/*.jsonl",
)  # fmt: skip
_WHOLE = ("augmented.meta.json", "attacks/*.meta.json")


def keep(runs: Path, to: Path) -> int:
    """Copy the results below ``runs`` to the same places below ``to``; returns how many are new.

    An experiment may be kept seed by seed: a run that is kept already, with the same card, stays.

    Raises:
        UserError: there is no card below ``runs``, a config is no YAML, or a run is at ``to`` with
            another card; then nothing is written.
    """
    folders = [card.parent for card in find_cards(runs)]
    configs = {path: _settings(path) for one in folders for path in one.glob("config.yaml")}
    new = [folder for folder in folders if not _is_kept(folder, to / folder.relative_to(runs))]
    for folder in new:
        place = to / folder.relative_to(runs)
        place.mkdir(parents=True, exist_ok=True)
        for path in (found for pattern in _WHOLE for found in folder.glob(pattern)):
            (place / path.relative_to(folder)).parent.mkdir(exist_ok=True)
            shutil.copyfile(path, place / path.relative_to(folder))
        for path in (found for pattern in _LINES for found in folder.glob(pattern)):
            store(path, stored(place / path.relative_to(folder)))
        for path in folder.glob("config.yaml"):
            text = yaml.safe_dump(configs[path], sort_keys=False)
            write_text(place / path.relative_to(folder), text)
        write_card(place / "card.json", _card(folder))  # the last: with it the run is kept
    return len(new)


def _is_kept(folder: Path, place: Path) -> bool:
    kept = place / "card.json"
    if not kept.exists():
        return False
    if read_card(kept) != _card(folder):
        raise UserError(f"{kept}: is not the card of {folder}; delete {place} to keep that one")
    return True


def _card(folder: Path) -> Card:
    """The card of a run, its encoder without the folder of this machine that it may lie in."""
    card = read_card(folder / "card.json")
    name, *layers = card["encoder"].split(", first ")  # of its layers
    return {**card, "encoder": ", first ".join([_of_any_machine(name), *layers])}


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
        print(f"{args.to}: {keep(args.runs, args.to)} runs are new")
    except UserError as error:
        print(f"keep_results: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
