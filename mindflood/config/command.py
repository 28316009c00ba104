"""``mindflood config``: every setting of a YAML file with its meaning, values and default."""

import argparse
import json
import shutil
import textwrap
from collections.abc import Iterator

from mindflood.config.schema import TOP, Key, Section, json_schema, sections
from mindflood.errors import UserError, nearest
from mindflood.fields import Effect
from mindflood.terminal import say

EPILOG = """examples:
  mindflood config                      every section
  mindflood config training             the keys of one section
  mindflood config training.epochs      one key
  mindflood config --schema             JSON schema, with which editors complete a config
"""
_PAGE = """# Configuration

<!-- `mindflood config --markdown > docs/configuration.md` makes it of mindflood/config/settings.py;
a test compares the two. -->

A YAML file describes an experiment: `mindflood run FILE` trains, exports and attacks all of its
models, `mindflood train FILE` one of them. Any key can be given after the file, where it wins:
`training.epochs=3`. `configs/` has examples, and `mindflood config SECTION` prints a part of this
page.

An editor with a YAML language server completes and checks the keys: write the schema once with
`mindflood config --schema > mindflood.schema.json`, and begin the file with

```yaml
# yaml-language-server: $schema=mindflood.schema.json
```

A RUN folder belongs to the settings that it was begun with. Those marked ◦ may change when the run
is continued; others are refused, and the message names them. What the method does not use is free
as well.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of ``mindflood config``."""
    parser.add_argument(
        "section", nargs="?", metavar="SECTION", help="a section, or a key; none: all of them"
    )
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--markdown", action="store_true", help="as docs/configuration.md has it")
    form.add_argument("--schema", action="store_true", help="JSON schema of the whole file")


def run(args: argparse.Namespace) -> int:
    """Print the settings.

    Raises:
        UserError: there is no such section or key.
    """
    if args.schema:
        say(*json.dumps(json_schema(), indent=1, ensure_ascii=False).splitlines())
    elif args.markdown:
        say(*page().splitlines())
    else:
        say(*"\n\n".join(map(_printed, _chosen(args.section))).splitlines())
    return 0


def page() -> str:
    """``docs/configuration.md``."""
    tables = ("\n".join(_table(section)) for section in sections())
    return "\n\n".join([_PAGE.rstrip(), *tables]) + "\n"


def _chosen(name: str | None) -> list[Section]:
    everything = {section.name: section for section in sections()}
    if name is None:
        return list(everything.values())
    if name in everything:
        return [everything[name]]
    keys = {key.name: key for section in everything.values() for key in section.keys}
    if name not in keys:
        endings = [key for key in keys if key.rpartition(".")[2] == name]
        known = [*everything, *keys]
        meant = f"; did you mean {' or '.join(map(repr, endings))}?" if endings else ""
        raise UserError(
            f"{name}: no such section or key{meant or nearest(name, known).partition(' (')[0]} "
            f"(sections: {', '.join(everything)})"
        )
    home = everything[name.partition(".")[0] if "." in name else TOP]
    return [Section(home.name, home.meaning, (keys[name],))]


def _printed(section: Section) -> str:
    width = min(shutil.get_terminal_size().columns, 100)
    lines = [f"{section.name}: {section.meaning}"]
    for key in section.keys:
        lines.append(f"  {key.name}: {key.default}")
        for text in (key.meaning, f"Values: {key.values}."):
            lines += textwrap.wrap(text, width, initial_indent=" " * 6, subsequent_indent=" " * 6)
    return "\n".join(lines)


def _table(section: Section) -> Iterator[str]:
    yield f"## {section.name}\n"
    yield f"{section.meaning}\n"
    yield "| key | meaning | values | default |"
    yield "| --- | --- | --- | --- |"
    for key in section.keys:
        yield f"| {_marked(key)} | {_cell(key.meaning)} | {_cell(key.values)} | `{key.default}` |"


def _marked(key: Key) -> str:
    return f"`{key.name}`" + (" ◦" if key.effect == Effect.FREE else "")


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
