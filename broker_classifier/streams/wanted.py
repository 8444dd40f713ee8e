"""Which classifications a subscriber wants, asked of the headers before anything is decoded."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from broker_classifier.errors import ConfigError
from broker_classifier.streams.classification import ClassificationMessage
from broker_classifier.streams.where import Condition


@dataclass(frozen=True)
class Wanted:
    """What a subscriber asks for; an empty field asks for nothing.

    Attributes
    ----------
    classes : sequence of str
        The most probable class is one of these.
    min_probability : float
        The most probable class has at least this probability.
    min_points : int
        The answer rests on at least so many points.
    min_bits : float
        The light curve gave at least so much information, in bits.
    object_ids : sequence of str
    model, survey : str
        Name of the bundle; name of the survey.
    where : Condition or None
    """

    classes: Sequence[str] = ()
    min_probability: float = 0.0
    min_points: int = 0
    min_bits: float = 0.0
    object_ids: Sequence[str] = ()
    model: str = ""
    survey: str = ""
    where: Condition | None = None

    @property
    def named_classes(self) -> set[str]:
        """Every class that is asked for by name."""
        return {*self.classes, *(self.where.classes if self.where else ())}

    def is_refused_by(self, headers: Mapping[str, str], object_id: str) -> bool:
        """Tell whether the headers and the key alone say that a message is not wanted."""
        is_named = (
            (not self.classes or headers.get("class") in self.classes)
            and (not self.object_ids or object_id in self.object_ids)
            and self.model in ("", headers.get("model"))
            and self.survey in ("", headers.get("survey"))
        )
        is_enough = (
            _number(headers, "probability") >= self.min_probability
            and _number(headers, "points") >= self.min_points
            and _number(headers, "bits") >= self.min_bits
        )
        is_excluded = self.where is not None and self.where.of_headers(headers) is False
        return not (is_named and is_enough) or is_excluded

    def is_met_by(self, message: ClassificationMessage) -> bool:
        """Tell whether a message that its headers do not refuse is wanted."""
        return self.where is None or self.where.of_message(message)


def refuse_unknown_classes(named: Iterable[str], known: Iterable[str]) -> None:
    """Refuse names of classes that no model on the topic has.

    Raises
    ------
    ConfigError
        It names the nearest classes.
    """
    classes = sorted(known)
    for name in sorted(set(named) - set(classes)):
        nearest = get_close_matches(name, classes, n=3, cutoff=0.4)
        advice = f"did you mean {' or '.join(nearest)}?" if nearest else "choose one of them"
        msg = (
            f"no model on the topic has the class {name}; there are {', '.join(classes)}: {advice}"
        )
        raise ConfigError(msg)


def _number(headers: Mapping[str, str], name: str) -> float:
    try:
        return float(headers.get(name) or 0.0)
    except ValueError:
        return 0.0
