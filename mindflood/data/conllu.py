"""CoNLL-U read into rows: a sentence a row, its words and their tags of column 5 (XPOS).

A row's texts are the words, and its label their tags, joined by spaces, which no tag has. Lines of
multiword tokens (``3-4``) and empty nodes (``8.1``) repeat or add to the words and are left out.
"""

from pathlib import Path

from mindflood.data.decoding import content_of, decode
from mindflood.data.rows import Row, shown
from mindflood.errors import UserError

_COLUMNS = 10  # of a word, as Universal Dependencies define the format
_FORM, _TAG = 1, 4


def read_conllu(path: Path) -> list[Row]:
    """Sentences of a CoNLL-U file; a row is called by the line of its first word.

    Raises:
        UserError: not UTF-8; or a line has no ten columns, or a word no number, form or tag. The
            message names the line.
    """
    rows: list[Row] = []
    words: list[str] = []
    tags: list[str] = []
    start = 0

    def end_sentence() -> None:
        if words:
            rows.append(Row(start, tuple(words), " ".join(tags)))
        words.clear()
        tags.clear()

    for number, line in enumerate(decode(content_of(path), path).split("\n"), start=1):
        line = line.rstrip("\r")
        if not line.strip():
            end_sentence()
        elif not line.startswith("#") or "\t" in line.split("#", 1)[0]:
            found = _word(line, f"{path}, row {number}")
            if found is not None:
                start = start if words else number
                words.append(found[0])
                tags.append(found[1])
    end_sentence()
    return rows


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
