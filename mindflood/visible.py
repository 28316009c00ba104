"""Text from files, models and names, as it may be shown: nothing in it commands what shows it."""

import re

# Control characters, among them the escape that begins a terminal's commands; line and paragraph
# separators; the marks that turn the direction of reading; halves of surrogate pairs, which is how
# Python reads a file name that is not UTF-8. Line break and tab are apart.
_COMMANDS = "\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069"
_UNSEEN = re.compile(f"[{_COMMANDS}\ud800-\udfff\ufeff\ufffe\uffff]")
_UNSEEN_IN_LINE = re.compile(f"[{_COMMANDS}\ud800-\udfff\ufeff\ufffe\uffff\t\n]")
_FORMULA = ("=", "+", "-", "@", "\t", "＝", "＋", "－", "＠")


def visible(text: str) -> str:
    r"""``text`` with every character that would command a terminal or a page written out: ``\x1b``.

    Line breaks and tabs stay.
    """
    return _UNSEEN.sub(_written_out, text)


def visible_line(text: str) -> str:
    """The same as one line: line breaks and tabs are written out too."""
    return _UNSEEN_IN_LINE.sub(_written_out, text)


def visible_words(text: str) -> str:
    """The same as one line whose words have single spaces between them."""
    return visible_line(" ".join(text.split()))


def spreadsheet_cell(text: str) -> str:
    """``text`` as a CSV cell that a spreadsheet shows and does not run as a formula."""
    shown = visible(text)
    return f"'{shown}" if shown.lstrip(" \n").startswith(_FORMULA) else shown


def _written_out(found: re.Match[str]) -> str:
    return found[0].encode("unicode_escape").decode("ascii")
