"""CoNLL-U read into rows: a sentence a row, its words and their tags of column 5 (XPOS).

A row's texts are the words, and its label their tags, joined by spaces, which no tag has. Lines of
multiword tokens (``3-4``) and empty nodes (``8.1``) repeat or add to the words and are left out.
"""

from collections.abc import Iterator
from pathlib import Path

from mindflood.data.bad_rows import BadRows
from mindflood.data.decoding import content_of, decode
from mindflood.data.rows import Row, shown
from mindflood.errors import UserError

_COLUMNS = 10  # of a word, as Universal Dependencies define the format
_FORM, _TAG = 1, 4


def read_conllu(path: Path, bad: BadRows) -> list[Row]:
    """Sentences of a CoNLL-U file; a row is called by the line of its first word.

    A sentence with a malformed line is a malformed row.

    Raises:
        UserError: not UTF-8; or a line has no ten columns, or a word no number, form or tag. The
            message names the line.
    """
    rows = []
    for lines in _sentences(decode(content_of(path), path)):
        try:
            numbered = [(number, _word(line, f"{path}, row {number}")) for number, line in lines]
        except UserError as error:
            bad.add(str(error))
            continue
        if words := [(number, *word) for number, word in numbered if word is not None]:
            numbers, forms, tags = zip(*words, strict=True)
            rows.append(Row(numbers[0], forms, " ".join(tags)))
    return rows


def _sentences(text: str) -> Iterator[list[tuple[int, str]]]:
    """The numbered lines of each sentence, without its remarks; a blank line ends it."""
    lines: list[tuple[int, str]] = []
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            yield lines
            lines = []
        elif not line.startswith("#"):
            lines.append((number, line.rstrip("\r")))
    yield lines


def _word(line: str, where: str) -> tuple[str, str] | None:
    """Form and tag of a word; None for a multiword token or an empty node."""
    cells = line.split("\t")
    if len(cells) != _COLUMNS:
        raise UserError(
            f"{where}: {len(cells)} columns where CoNLL-U has {_COLUMNS}, separated by tabs"
        )
    number, form, tag = cells[0], cells[_FORM].strip(), cells[_TAG].strip()
    if not number.isdecimal():
        first = number.replace("-", ".").split(".")
        if len(first) == 2 and all(part.isdecimal() for part in first):
            return None
        raise UserError(f"{where}: {shown(number)} in column 1, expected the number of a word")
    if not form:
        raise UserError(f"{where}: an empty word in column 2")
    if not tag or tag == "_" or len(tag.split()) > 1:
        raise UserError(
            f"{where}: {shown(form)} has no tag in column 5 (XPOS), found {shown(tag)}; take a "
            "treebank that has them"
        )
    return form, tag
