"""Words of the built-in corpus: what is judged, in which words, in good and in bad."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Kind:
    """Adjectives that suit one kind of thing; the same word may praise one and blame another."""

    bad: tuple[str, ...]
    good: tuple[str, ...]


@dataclass(frozen=True)
class Aspect:
    """Something that is judged."""

    noun: str
    kind: Kind
    plural: bool = False


@dataclass(frozen=True)
class Domain:
    """A subject of reviews.

    Attributes:
        aspects: what is judged.
        openings: sentences' beginnings that judge nothing.
        closings: ends that judge, (bad ones, good ones).
    """

    name: str
    aspects: tuple[Aspect, ...]
    openings: tuple[str, ...]
    closings: tuple[tuple[str, ...], tuple[str, ...]]


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


_ANY = Kind(
    bad=_words(
        "terrible awful dreadful horrible poor disappointing mediocre appalling pathetic lousy "
        "miserable disastrous inferior worthless shameful ridiculous unbearable laughable"
    ),
    good=_words(
        "wonderful superb excellent brilliant terrific great marvelous impressive delightful "
        "outstanding fantastic splendid magnificent remarkable perfect lovely exceptional amazing"
    ),
)


def _kind(bad: str, good: str) -> Kind:
    """A kind's own adjectives and those that suit everything."""
    return Kind(_words(bad) + _ANY.bad, _words(good) + _ANY.good)


_PEOPLE = _kind(
    "rude careless arrogant indifferent hostile clumsy lazy cold bored slow impatient ignorant "
    "confused nervous grumpy cynical distracted incompetent",
    "friendly charming skilled patient gracious helpful kind polite professional gifted warm "
    "thoughtful generous cheerful confident sincere graceful competent",
)
_STORY = _kind(
    "dull predictable tedious shallow confusing clumsy pretentious hollow stale silly bland "
    "pointless messy tired endless forced boring obvious cheap",
    "gripping moving clever inventive touching original funny witty elegant subtle tense honest "
    "fresh memorable rich engaging surprising thrilling wise",
)
_FOOD = _kind(
    "cold stale greasy bland burnt salty dry raw sour bitter frozen rotten heavy watery rubbery",
    "delicious fresh tender crisp tasty warm juicy rich hot sweet fragrant creamy light authentic "
    "spicy",
)
_PLACE = _kind(
    "dirty noisy cramped dark filthy damp ugly uncomfortable gloomy crowded freezing shabby bleak "
    "depressing dusty",
    "clean bright spacious quiet comfortable elegant beautiful inviting peaceful sunny charming "
    "tidy cool romantic modern",
)
_DEVICE = _kind(
    "slow fragile useless faulty clumsy weak loud heavy dim defective awkward unstable primitive "
    "obsolete cheap",
    "reliable fast sharp sturdy smooth responsive light powerful simple accurate bright quiet "
    "durable efficient intuitive",
)
# A price is not brilliant or miserable: no words that suit everything else.
_PRICE = Kind(
    bad=_words("excessive outrageous high steep unfair absurd unreasonable ridiculous terrible"),
    good=_words("reasonable fair low modest honest attractive sensible affordable great lovely"),
)
_MUSIC = _kind(
    "flat muddy boring dull thin harsh lifeless monotonous sloppy shrill dreary noisy",
    "beautiful haunting vivid stirring powerful lively gorgeous crisp energetic soulful bright "
    "rich",
)
_SERVICE = _kind(
    "slow chaotic unreliable sloppy careless late indifferent inadequate messy unsafe",
    "quick efficient reliable smooth attentive prompt flawless generous organized safe",
)


def _phrases(text: str) -> tuple[str, ...]:
    return tuple(text.split(" | "))


def _aspects(kind: Kind, nouns: str, *, plural: bool = False) -> tuple[Aspect, ...]:
    return tuple(Aspect(noun, kind, plural) for noun in _phrases(nouns))


DOMAINS = (
    Domain(
        "film",
        (
            *_aspects(
                _STORY,
                "the film | the plot | the script | the ending | the final scene | the dialogue",
            ),
            *_aspects(_MUSIC, "the acting | the camera work | the soundtrack"),
            *_aspects(_STORY, "the jokes", plural=True),
            *_aspects(_PEOPLE, "the lead actress | the young cast"),
        ),
        _phrases(
            "we saw it on a rainy sunday | it is based on a true story from the war | "
            "my sister had bought the tickets | it runs for almost three hours | "
            "the second half takes place in paris | this is the third part of the series | "
            "i watched it twice on the plane | the cinema was half full"
        ),
        (
            _phrases(
                "we walked out early | two hours of my life are gone | skip it | i wanted to sleep"
            ),
            _phrases(
                "i cried at the end | i want to see it again | go and see it | we talked all night"
            ),
        ),
    ),
    Domain(
        "restaurant",
        (
            *_aspects(
                _FOOD, "the soup | the bread | the steak | the dessert | the coffee | the fish"
            ),
            *_aspects(_FOOD, "the vegetables", plural=True),
            *_aspects(_PEOPLE, "the waiters", plural=True),
            *_aspects(_PEOPLE, "the chef"),
            *_aspects(_PLACE, "the dining room"),
            *_aspects(_SERVICE, "the service"),
            *_aspects(_PRICE, "the prices", plural=True),
        ),
        _phrases(
            "we ordered the menu of the day | we came here for my father's birthday | "
            "it stands at the corner of the market square | "
            "i had lunch there with two colleagues | they opened in the spring | "
            "we had a table by the window | it was a normal friday evening | "
            "the same family has owned it for years"
        ),
        (
            _phrases(
                "we left hungry | i felt sick all night | eat somewhere else | i want my money back"
            ),
            _phrases(
                "we will be back | my plate was empty | book a table now | we left with a smile"
            ),
        ),
    ),
    Domain(
        "book",
        (
            *_aspects(_STORY, "the novel | the first chapter | the prose | the argument"),
            *_aspects(_STORY, "the characters | the last hundred pages", plural=True),
            *_aspects(_PEOPLE, "the narrator | the author"),
            *_aspects(_SERVICE, "the translation"),
            *_aspects(_MUSIC, "the drawings", plural=True),
        ),
        _phrases(
            "i read it on the train to work | a friend gave it to me at christmas | "
            "it is set in a small fishing town | our reading group picked it in march | "
            "it was first printed forty years ago | there are five hundred pages of it | "
            "i borrowed it from the library | it follows three sisters over ten years"
        ),
        (
            _phrases(
                "i gave it away | i could not finish it | leave it on the shelf | i fell asleep"
            ),
            _phrases(
                "i read it in one night | i bought two more copies | read it | "
                "i did not want to stop"
            ),
        ),
    ),
    Domain(
        "hotel",
        (
            *_aspects(
                _PLACE, "our room | the lobby | the bathroom | the garden | the bar downstairs"
            ),
            *_aspects(_FOOD, "the breakfast"),
            *_aspects(_PEOPLE, "the staff | the manager"),
            *_aspects(_PLACE, "the beds", plural=True),
            *_aspects(_SERVICE, "the room service"),
            *_aspects(_PRICE, "the rates", plural=True),
        ),
        _phrases(
            "we stayed for three nights in june | it is ten minutes from the station | "
            "my company booked it for a conference | we arrived late in the evening | "
            "our window faced the street | they have about sixty rooms on four floors | "
            "we travelled with two small children | it used to be a bank"
        ),
        (
            _phrases(
                "we checked out a day early | stay away | i did not sleep at all | never again"
            ),
            _phrases(
                "we stayed an extra day | i slept like a baby | we have booked again | stay here"
            ),
        ),
    ),
    Domain(
        "phone",
        (
            *_aspects(
                _DEVICE,
                "the screen | the camera | the battery | the keyboard | the software | the design",
            ),
            *_aspects(_DEVICE, "the buttons", plural=True),
            *_aspects(_MUSIC, "the speakers", plural=True),
            *_aspects(_PRICE, "the price"),
            *_aspects(_SERVICE, "customer support | the delivery"),
        ),
        _phrases(
            "i have used it every day since may | it came in a plain white box | "
            "my old one broke last month | i bought it for my mother | "
            "it is the same size as the last model | i mostly use it for work | "
            "the shop had only the black one | it has been on my desk for a week"
        ),
        (
            _phrases(
                "i sent it back | it now sits in a drawer | do not buy it | it died after a week"
            ),
            _phrases(
                "i bought a second one | i use it for everything | buy it | my old one is gone"
            ),
        ),
    ),
    Domain(
        "concert",
        (
            *_aspects(_PEOPLE, "the band | the singer | the crowd"),
            *_aspects(_MUSIC, "the sound | the opening song | the light show"),
            *_aspects(_MUSIC, "the drums | the new songs", plural=True),
            *_aspects(_PLACE, "the hall"),
            *_aspects(_PRICE, "the tickets", plural=True),
        ),
        _phrases(
            "they played for two hours | it was the last night of the tour | "
            "we stood near the back | it started at nine on a monday | my cousin plays the bass | "
            "they had a string section with them | i had not seen them since school | "
            "the hall holds about a thousand people"
        ),
        (
            _phrases(
                "my ears still hurt | we went home early | i asked for a refund | "
                "people left in rows"
            ),
            _phrases(
                "we danced all night | i lost my voice | nobody wanted to leave | "
                "i am still humming"
            ),
        ),
    ),
    Domain(
        "trip",
        (
            *_aspects(_PEOPLE, "the guide | the driver"),
            *_aspects(_PLACE, "the bus | the museum | the old town"),
            *_aspects(_PLACE, "the seats", plural=True),
            *_aspects(_SERVICE, "the boat ride | the booking"),
            *_aspects(_FOOD, "the food on board"),
            *_aspects(_PRICE, "the fare"),
            *_aspects(_STORY, "the stories he told", plural=True),
        ),
        _phrases(
            "we took the morning tour | there were twelve of us in the group | "
            "it leaves from the harbor at eight | we went in the first week of october | "
            "it takes about half a day | my parents came along | we had booked it online | "
            "the weather was the usual mix"
        ),
        (
            _phrases(
                "we should have stayed home | take a taxi | i was glad to get off | never again"
            ),
            _phrases("we did it again the next day | take your camera | the hours flew by | do it"),
        ),
    ),
)
