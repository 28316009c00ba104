"""How many antonyms slip into the neighbour table, by WordNet, and how many our own list leaves.

No framework is imported here: the doctor asks.
"""

from typing import NamedTuple

from mindflood.attack import opposites
from mindflood.attack.antonyms import from_wordnet, share_of, without
from mindflood.attack.neighbour_file import embedded_encoder, read, table_path
from mindflood.attack.wordnet import wordnet

NO_WORDNET = "not measured: it takes WordNet to tell antonyms"
NO_TABLE = "not measured: the first offline attack makes the table of neighbours"


class Shares(NamedTuple):
    """Fractions of the table's entries (word, neighbour) that are antonyms by WordNet.

    Attributes:
        before: of all entries.
        after: of those that are left without the pairs of our own list.
    """

    before: float
    after: float


def antonym_shares() -> Shares | str:
    """The shares on this machine, or why they cannot be told."""
    database = wordnet()
    if database is None:
        return NO_WORDNET
    table = read(table_path(embedded_encoder()))
    if table is None:
        return NO_TABLE
    pairs = from_wordnet(database, table.words)
    left = without(table.words, table.neighbours, opposites.among(table.words))
    return Shares(
        share_of(table.words, table.neighbours, pairs), share_of(table.words, left, pairs)
    )
