"""Conditions on classifications, such as `TDE > 0.1 and points >= 3`.

A condition is asked of a message's headers first. They hold the most probable class and a few
numbers, so they bound every class's probability, and most messages are refused or taken without
being decoded. The answer is then True, False, or None where the headers do not decide.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from lark import Lark, Token, Transformer, v_args
from lark.exceptions import UnexpectedCharacters, UnexpectedInput, UnexpectedToken

from broker_classifier.errors import ConfigError
from broker_classifier.streams.classification import ClassificationMessage

NUMBERS = ("points", "bits", "probability", "mjd", "ra", "dec")
TEXTS = ("class", "survey", "model", "object")
FLAGS = ("revised",)
ROUNDING = 1e-5  # probabilities are published with six decimals

_GRAMMAR = rf"""
?start: either
?either: both ("or" both)*
?both: plain ("and" plain)*
?plain: "not" plain -> opposite
      | "(" either ")"
      | number ORDER number -> order
      | text EQUALITY word -> equality
      | text "in" "(" word ("," word)* ")" -> membership
      | FLAG -> flag
?number: NUMBER -> constant
       | SIGNED -> constant
       | FIELD -> field
       | "equal_prior" "(" NAME ")" -> equal_prior
       | NAME -> natural
text: TEXT
?word: NAME -> word
     | STRING -> quoted
     | FIELD -> word
EQUALITY.2: "==" | "!="
ORDER: "<=" | ">=" | "<" | ">" | "==" | "!="
FIELD.3: /({"|".join(NUMBERS)})(?![\w-])/
TEXT.3: /({"|".join(TEXTS)})(?![\w-])/
FLAG.3: /revised(?![\w-])/
NAME: /(?!(and|or|not|in|equal_prior)(?![\w-]))[A-Za-z][\w.]*(-[\w.]+)*/
SIGNED: /-\d+(\.\d*)?([eE][+-]?\d+)?|-\.\d+([eE][+-]?\d+)?/
STRING: /"[^"]*"|'[^']*'/
%import common.NUMBER
%ignore /\s+/
"""


class Bounds(NamedTuple):
    """What is known of a number: it lies between these, both included."""

    low: float
    high: float


class Facts(NamedTuple):
    """What is known of a message.

    Attributes
    ----------
    number : callable
        For a name of `NUMBERS`, its bounds; None where it is unknown.
    natural, equal_prior : callable
        For a class, the bounds of its probability under the natural and under equal priors; None
        where the bundle has no such class.
    text : callable
        For a name of `TEXTS`, the text; None where it is unknown.
    revised : bool or None
    """

    number: Callable[[str], Bounds | None]
    natural: Callable[[str], Bounds | None]
    equal_prior: Callable[[str], Bounds | None]
    text: Callable[[str], str | None]
    revised: bool | None


Test = Callable[[Facts], bool | None]
Number = Callable[[Facts], Bounds | None]


@dataclass(frozen=True)
class Condition:
    """A condition that was read from its text.

    Attributes
    ----------
    text : str
    classes : tuple of str
        The classes that it names.
    """

    text: str
    classes: tuple[str, ...]
    _test: Test

    def of_headers(self, headers: Mapping[str, str]) -> bool | None:
        """Tell whether a message with these headers matches; None where they do not decide."""
        return self._test(_facts_of_headers(headers))

    def of_message(self, message: ClassificationMessage) -> bool:
        """Tell whether a message matches. A class that its bundle does not have matches nothing."""
        return self._test(_facts_of_message(message)) is True


@lru_cache(maxsize=64)
def condition(text: str) -> Condition:
    """Read a condition.

    It compares numbers (a class's probability by the class's name, `equal_prior(CLASS)`, points,
    bits, probability, mjd, ra, dec) and texts (class, survey, model, object), joined by `and`,
    `or`, `not` and parentheses; `revised` stands alone.

    Raises
    ------
    ConfigError
        The text is no condition; the message says where.

    Examples
    --------
    >>> headers = {"class": "SNIa", "probability": "0.8", "points": "2"}
    >>> condition("SNIa > 0.5 and points >= 2").of_headers(headers)
    True
    >>> condition("TDE > 0.3").of_headers(headers), condition("TDE > 0.1").of_headers(headers)
    (False, None)
    """
    try:
        tree = _parser().parse(text)
    except UnexpectedInput as error:
        at = error.pos_in_stream or 0 if isinstance(error, UnexpectedCharacters) else len(text)
        if isinstance(error, UnexpectedToken) and error.token.type != "$END":
            at = error.token.start_pos or 0
        place = f"{text}\n{' ' * at}^"
        fields = ", ".join((*NUMBERS, *TEXTS, *FLAGS))
        msg = (
            f"no condition from here on:\n{place}\nwrite one like 'TDE > 0.1 and points >= 3'; "
            f"besides classes there are {fields}, equal_prior(CLASS)"
        )
        raise ConfigError(msg) from error
    conditions = _Conditions()
    test = conditions.transform(tree)
    return Condition(text, tuple(map(str, conditions.classes)), test)


@lru_cache(maxsize=1)
def _parser() -> Lark:
    return Lark(_GRAMMAR, parser="lalr")


_BETWEEN: dict[str, Callable[[Bounds, Bounds], bool | None]] = {
    "<": lambda a, b: _decided(a.high < b.low, a.low >= b.high),
    "<=": lambda a, b: _decided(a.high <= b.low, a.low > b.high),
    ">": lambda a, b: _decided(a.low > b.high, a.high <= b.low),
    ">=": lambda a, b: _decided(a.low >= b.high, a.high < b.low),
    "==": lambda a, b: _decided(
        a.low == a.high == b.low == b.high, a.high < b.low or a.low > b.high
    ),
    "!=": lambda a, b: _opposite(_BETWEEN["=="](a, b)),
}


def _decided(is_surely: bool, is_surely_not: bool) -> bool | None:
    return True if is_surely else False if is_surely_not else None


def _opposite(answer: bool | None) -> bool | None:
    return None if answer is None else not answer


def _any(answers: Sequence[bool | None]) -> bool | None:
    return True if True in answers else None if None in answers else False


@v_args(inline=True)
class _Conditions(Transformer[Token, Test]):
    """The parts of a condition as functions of what is known of a message."""

    def __init__(self) -> None:
        super().__init__()
        self.classes: dict[str, None] = {}

    def either(self, *parts: Test) -> Test:
        return lambda facts: _any([part(facts) for part in parts])

    def both(self, *parts: Test) -> Test:
        return lambda facts: _opposite(_any([_opposite(part(facts)) for part in parts]))

    def opposite(self, part: Test) -> Test:
        return lambda facts: _opposite(part(facts))

    def order(self, left: Number, sign: Token, right: Number) -> Test:
        def test(facts: Facts) -> bool | None:
            a, b = left(facts), right(facts)
            return None if a is None or b is None else _BETWEEN[sign](a, b)

        return test

    def equality(self, name: Token, sign: Token, word: str) -> Test:
        is_equal = self.membership(name, word)
        return is_equal if sign == "==" else self.opposite(is_equal)

    def membership(self, name: Token, *words: str) -> Test:
        if name == "class":
            self.classes.update(dict.fromkeys(words))

        def test(facts: Facts) -> bool | None:
            text = facts.text(name)
            return None if text is None else text in words

        return test

    def flag(self, _: Token) -> Test:
        return lambda facts: facts.revised

    def constant(self, digits: Token) -> Number:
        value = Bounds(float(digits), float(digits))
        return lambda _: value

    def field(self, name: Token) -> Number:
        return lambda facts: facts.number(name)

    def natural(self, name: Token) -> Number:
        self.classes[name] = None
        return lambda facts: facts.natural(name)

    def equal_prior(self, name: Token) -> Number:
        self.classes[name] = None
        return lambda facts: facts.equal_prior(name)

    def text(self, name: Token) -> Token:
        return name

    def word(self, word: Token) -> str:
        return str(word)

    def quoted(self, word: Token) -> str:
        return word[1:-1]


def _facts_of_headers(headers: Mapping[str, str]) -> Facts:
    top, probability = headers.get("class"), _exactly(headers.get("probability"))

    def natural(name: str) -> Bounds:
        if probability is None:
            return Bounds(0.0, 1.0)
        if name == top:
            return probability
        return Bounds(0.0, min(probability.high, 1.0 - probability.low + ROUNDING))

    return Facts(
        lambda name: _exactly(headers.get(name)) or Bounds(-float("inf"), float("inf")),
        natural,
        lambda _: Bounds(0.0, 1.0),
        headers.get,
        {"true": True, "false": False}.get(headers.get("revised", "")),
    )


def _facts_of_message(message: ClassificationMessage) -> Facts:
    numbers = {
        "points": message.n_points_used,
        "bits": message.information_bits,
        "probability": message.probability,
        "mjd": message.mjd,
        "ra": message.ra,
        "dec": message.dec,
    }
    texts = {
        "class": message.top_class,
        "survey": message.survey,
        "model": message.model.name,
        "object": message.object_id,
    }
    return Facts(
        lambda name: _exactly(numbers[name]),
        lambda name: _exactly(message.probabilities.get(name)),
        lambda name: _exactly(message.probabilities_equal_prior.get(name)),
        texts.get,
        message.revised,
    )


def _exactly(value: float | str | None) -> Bounds | None:
    try:
        return None if value is None else Bounds(float(value), float(value))
    except ValueError:
        return None
