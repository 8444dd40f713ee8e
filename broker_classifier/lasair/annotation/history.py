"""What an object was said to be before: Lasair keeps one annotation of it, so this is kept here."""

from dataclasses import dataclass, replace

from broker_classifier.lasair.annotation.answer import Order, is_classified, order_of
from broker_classifier.streams.classification import ClassificationMessage


@dataclass(frozen=True)
class Verdict:
    """A class, its probability, and the time of the alert at which it was said (MJD, UTC)."""

    top_class: str
    probability: float
    mjd: float


@dataclass(frozen=True)
class History:
    """What was said of one object.

    Attributes
    ----------
    order : tuple
        `order_of` the newest answer.
    first, now : Verdict
    since_mjd : float
        The alert that brought the present class.
    previous : Verdict or None
        The last word of the class before; None where the class has never changed.
    n_changes : int
    """

    order: Order
    first: Verdict
    now: Verdict
    since_mjd: float
    previous: Verdict | None = None
    n_changes: int = 0


def advanced(history: History | None, answer: ClassificationMessage) -> History | None:
    """Enter an answer; None where it is not newer than what was said, so that repeats do nothing.

    An answer that takes an earlier one back is entered as the newest, but it is no change of class.
    """
    now = Verdict(answer.top_class, answer.probability, answer.mjd)
    if history is None:
        return History(order_of(answer), now, now, answer.mjd) if is_classified(answer) else None
    if order_of(answer) <= history.order:
        return None
    newer = replace(history, order=order_of(answer))
    return _changed(newer, now) if is_classified(answer) else newer


def _changed(history: History, now: Verdict) -> History:
    if now.top_class == history.now.top_class:
        return replace(history, now=now)
    return replace(
        history,
        now=now,
        since_mjd=now.mjd,
        previous=history.now,
        n_changes=history.n_changes + 1,
    )
