"""Opposites of our own, for machines without WordNet: a short list, prefixes, praise and blame."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping

from mindflood.data.lexicon import DOMAINS

# Every word on the left of a bar against every word on its right.
_LISTED = """
abnormal | normal
abundant | scarce
accept accepted accepts | reject rejected rejects refuse refused refuses
active | passive
add added adds | remove removed subtract
admit admits admitted admitting | deny denies denied denying
agree agreed agrees agreeing agreement | disagree disagreed disagreement disagreements
alive living | dead
all every everyone everything always | none nobody nothing never
allow allowed allows permit | forbid ban banned bans prevent
amateur amateurs | professional professionals
ancient old older | modern new newer young younger
appear appears appeared appearing | disappear disappears disappeared disappearing
asleep | awake
attack attacked attacks | defend defended defends defence defense
aunt aunts | uncle uncles
back rear | front
beautiful pretty | ugly
before earlier | after later
begin begins began beginning start starts started opening | end ends ended ending finish finished
believe believed | doubt doubted
best better | worst worse
big bigger large larger huge enormous great giant | small smaller little tiny minor
birth born | death died
black dark darker | white light lighter bright
boring bored dull boredom tedious | exciting excited interesting entertaining engaging exciting
bottom bottoms | top tops
brave | coward cowardly afraid
brother brothers | sister sisters
build built | destroy destroyed demolish demolished
buy buys bought buying | sell sells sold selling
cheap cheaper | expensive costly
clean | dirty
clear clearly | unclear vague vaguely
clever smart intelligent wise | stupid foolish dumb silly
close closed closes shut | open opened opens
cold colder cool | hot hotter warm
come comes came coming | go goes went going
comedy comic | tragedy tragic
complex complicated | simple
connect connected connects connecting | disconnect disconnected
create created creates | destroy destroyed destroys
cry cried tears | laugh laughed laughter
day | night
decreasing falling | increasing rising
deep | shallow
difficult hard | easy easily easier easiest
difficulty difficulties | ease
disable disabled | enable enabled enables enabling
discourage discouraged | encourage encouraged encourages encouraging
divide divided divides dividing | unite united unites uniting
down below under beneath low lower lowest | up above over high higher highest
dry | wet damp
early | late
east eastern | west western
empty | full
enemy enemies foe | friend friends ally allies
enter entered entrance arrive arrived | exit leave left
even | odd
exclude excluded excludes excluding | include included includes including
expand expanded grow grew grown | shrink shrank decline declined
external externally exterior | internal internally interior
extraordinary | ordinary
fail failed failing fails | succeed succeeded succeeding succeeds
failure failures | success successes successful
fake false wrong incorrect | real true genuine right correct
far distant | near close nearby
fast faster quick quickly rapid rapidly | slow slower slowly
fat thick | thin slim
father fathers | mother mothers
female woman women girl girls she her | male man men boy boys he him
few fewer less least | many more most
find found | lose lost
first | last
forget forgot forgotten | remember remembered
forward | backward
free | captive
fresh | stale
funny humorous comical | serious humorless
future | past
gain gained gains | lose lost loses
general | specific
give gave given gives | take took taken takes
good great fine excellent superb | bad awful poor terrible horrible
guilty | innocent
happy happily glad joy joyful cheerful happiness | sad sadly unhappy sorrow miserable sadness
hate hated hates dislike disliked | love loved loves like liked adore adored
heaven | hell
heavy | light
hero heroes | villain villains
hidden hiding | showing
hide hidden | show shown reveal revealed
horizontal | vertical
husband husbands | wife wives
import imports | export exports
in inside inner indoor | out outside outer outdoor
increase increased increases rise rises rose | decrease decreased decreases fall falls fell
inferior | superior
join joined | leave quit
junior | senior
kind gentle nice | cruel mean nasty
king kings | queen queens
largest biggest | smallest
lead leads | follow follows
legal lawful | illegal unlawful
long longer | short shorter brief
loose | tight tighter
loud noisy | quiet silent
loving | hating
major | minor
majority | minority minorities
maximum maximal | minimum minimal
memorable unforgettable | forgettable
move moved moves moving | stay stayed stays staying
naive | sophisticated
narrow narrower narrowed narrowing | wide wider widen widened broad
natural | artificial
negative | positive
north northern | south southern
objective | subjective
off | on
opponent opponents | supporter supporters
optimist optimistic hopeful | pessimist pessimistic hopeless
original | copied derivative unoriginal
peace peaceful | war violent
permanent permanently | temporary temporarily
plus | minus
polite | rude
poor poverty | rich wealthy wealth
praise praised | blame blamed criticize criticized
present presence | absent absence
private | public
profit profits | loss losses
pull pulled | push pushed
question | answer
raise raised raises | lower lowered cut
rare rarely seldom | common commonly frequent frequently often
rough | smooth
rural | urban
safe safety secure | dangerous danger unsafe risky
save saved saves | waste wasted wastes spend
separate separated | together united
sharp | blunt
shout shouted shouting | whisper whispered whispering
sick ill | healthy well
silence | sound noise
sleep sleeps sleeping slept | wake wakes waking woke
soft | hard
son sons | daughter daughters
start started starts starting | stop stopped stops stopping
stop stopped stops | continue continued continues go
strength strong stronger | weak weaker weakness
strengthen strengthened strengthening | weaken weakened weakening
sunrise | sunset
sweet | bitter sour
teach teacher | learn pupil
upward upwards | downward downwards
victory victories win wins won winning | defeat defeats defeated lose loses lost losing
winner winners | loser losers
with | without
worthless useless | valuable useful
worthy | unworthy
yes | no
"""
_PREFIXES = ("un", "in", "im", "ir", "il", "dis", "non", "anti")
_SHORTEST_STEM = 4
# What is left of these is no opposite of the whole: invaluable means very valuable.
_NO_NEGATIONS = """
antique disclose discount discounts discover discovered discovers discuss disease disguise dispatch
display displayed displays distill distract distraction district disturb illustrate impact impart
imperial import imports impose imposed imposing impound impress impressed impresses impression
impressions imprint improved improve inbound income increase indeed indent individual infield
inflame inflammable inform infuse ingrain inhabit inland inlay inmate inning innings innovation
input inquest inquiry inset inside inspire install instant instate instep instill institute intake
intend intended intense intension intent intention intern interest intone invaluable invent
inventive invest investment inward irate uncle under union unions unique unit united units until
"""
# Suffixes of having and of lacking.
_SUFFIXES = ("ful", "less")

Sides = tuple[set[str], set[str]]


def among(words: Iterable[str]) -> dict[str, frozenset[str]]:
    """The opposites among ``words``, in both directions."""
    known = set(words)
    pairs: dict[str, set[str]] = {}
    for left, right in (*_listed(), *_with_affixes(known), _praise_and_blame()):
        for word in left & known:
            pairs.setdefault(word, set()).update(right & known)
    return symmetric(pairs)


def symmetric(pairs: Mapping[str, Iterable[str]]) -> dict[str, frozenset[str]]:
    """``pairs`` in both directions; a word is not its own opposite."""
    found: dict[str, set[str]] = {}
    for word, others in pairs.items():
        for other in others:
            if other != word:
                found.setdefault(word, set()).add(other)
                found.setdefault(other, set()).add(word)
    return {word: frozenset(others) for word, others in found.items()}


def _listed() -> Iterator[Sides]:
    for line in _LISTED.strip().splitlines():
        left, right = line.split(" | ")
        yield set(left.split()), set(right.split())


def _with_affixes(words: set[str]) -> Iterator[Sides]:
    """Pairs as *fair* and *unfair*, *careful* and *careless*."""
    having, lacking = _SUFFIXES
    for word in words - set(_NO_NEGATIONS.split()):
        for prefix in _PREFIXES:
            stem = word.removeprefix(prefix)
            if stem != word and len(stem) >= _SHORTEST_STEM and stem in words:
                yield {word}, {stem}
        if word.endswith(having):
            yield {word}, {word.removesuffix(having) + lacking}


def _praise_and_blame() -> Sides:
    """Adjectives that praise one thing or other and blame none, against those that only blame."""
    kinds = [aspect.kind for domain in DOMAINS for aspect in domain.aspects]
    good = {word for kind in kinds for word in kind.good}
    bad = {word for kind in kinds for word in kind.bad}
    return good - bad, bad - good


def _fingerprint() -> str:
    praise, blame = map(sorted, _praise_and_blame())
    parts = (_LISTED, _PREFIXES, _NO_NEGATIONS, _SUFFIXES, praise, blame)
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]


FINGERPRINT = _fingerprint()
