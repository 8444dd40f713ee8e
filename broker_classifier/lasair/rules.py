"""Which answers are worth a place in Lasair's hourly calls."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from broker_classifier.config.lasair import AnnotateSettings
from broker_classifier.lasair.annotation.answer import bits_of, is_classified
from broker_classifier.streams.classification import ClassificationMessage


@dataclass(frozen=True)
class Said:
    """What Lasair was last told of an object.

    Attributes
    ----------
    top_class : str
    probabilities : mapping of str to float
        By class name.
    bits : float or None
    """

    top_class: str
    probabilities: Mapping[str, float] = field(default_factory=dict)
    bits: float | None = None

    @classmethod
    def of(cls, answer: ClassificationMessage) -> "Said":
        """Keep of an answer what the next ones are compared with."""
        return cls(answer.top_class, answer.probabilities, bits_of(answer))


def reason_to_send(
    said: Said | None, answer: ClassificationMessage, settings: AnnotateSettings
) -> str | None:
    """Tell why Lasair should hear of an answer: class, probability or bits; None if it need not.

    Parameters
    ----------
    said : Said or None
        None where Lasair was told nothing of the object yet.
    """
    if said is None:
        return "first" if is_classified(answer) else None
    if said.top_class != answer.top_class:
        return "class"
    if _largest_move(said.probabilities, answer.probabilities) > settings.probability_step:
        return "probability"
    if _passed(said.bits, bits_of(answer), settings.information_levels):
        return "bits"
    return None


def _largest_move(before: Mapping[str, float], now: Mapping[str, float]) -> float:
    return max(
        (abs(now.get(name, 0.0) - before.get(name, 0.0)) for name in {*before, *now}), default=0.0
    )


def _passed(before: float | None, now: float | None, levels: Sequence[float]) -> bool:
    return now is not None and any((before or 0.0) < level <= now for level in levels)
