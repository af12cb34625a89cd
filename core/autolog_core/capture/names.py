"""Names for runs that were given none."""

from __future__ import annotations

import os
from collections.abc import Callable


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


ADJECTIVES = _words(
    """
    able agile airy alert amber ample apt azure bold brave breezy bright brisk calm candid
    careful cheerful clean clear clever cool cosmic crisp curious daring deep deft eager
    early earnest easy elegant fair fancy fast fine firm fleet fluent fond free fresh gentle
    gifted glad golden grand green happy hardy honest humble ivory jolly keen kind lively lofty
    loyal lucid lucky lunar mellow merry mighty mild modest neat nimble noble open patient
    placid polite proud quick quiet rapid ready rich rosy royal rustic serene sharp shiny silent
    silver sincere sleek smart smooth snug solar solid spry stable steady still sturdy subtle
    sunny sure swift tidy true upbeat valiant vast vivid warm wise witty zesty
    """
)
NOUNS = _words(
    """
    acorn albatross alder antelope apple aspen aurora badger bay beacon beaver beech birch bison
    breeze brook canyon cedar cherry cliff cloud clover comet coral cove crane creek cypress
    dawn deer delta dolphin dove dune eagle elk elm ember falcon fern finch fjord forest fox
    garden gazelle glacier glade grove gull harbor hare hawk heron hill horizon island ivy jay
    juniper kestrel koala lagoon lake lark laurel leaf lemur lilac lily linden lotus lynx maple
    marten meadow moon moose moss oak oasis ocean olive orca orchid osprey otter owl panda peach
    pear pebble penguin petrel pine plover pond poplar prairie puffin quail rain raven reef
    ridge river robin rook rose sable salmon seal shore sparrow spring spruce star stone stork
    stream summit swallow swan thrush tide trout tulip turtle valley walnut wave willow wind
    wren
    """
)
NUMBERS = 1000


def random_name(rng: Callable[[int], bytes] = os.urandom) -> str:
    """Returns a name such as ``"bright-otter-407"``.

    The state of Python's own random numbers is neither read nor changed.

    Args:
        rng: Returns as many random bytes as it is asked for.
    """
    number = int.from_bytes(rng(8))
    number, digits = divmod(number, NUMBERS)
    number, noun = divmod(number, len(NOUNS))
    return f"{ADJECTIVES[number % len(ADJECTIVES)]}-{NOUNS[noun]}-{digits}"
