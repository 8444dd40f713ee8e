"""Where two bundles differ that answer the same alerts, one of them in shadow."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from broker_classifier.config.kafka import KafkaSettings
from broker_classifier.errors import DataError
from broker_classifier.progress import Track, untracked
from broker_classifier.streams.brief_answers import (
    AlertName,
    BriefAnswer,
    BriefAnswers,
    read_answers,
)

POINT_BINS = ((0, 0), (1, 1), (2, 2), (3, 5), (6, 10), (11, 20), (21, None))
ALL = "all"


class Pair(NamedTuple):
    """Two answers to an alert, and half the sum of the differences of their probabilities."""

    alert: AlertName
    live: BriefAnswer
    shadow: BriefAnswer
    distance: float


class Row(NamedTuple):
    """How far two bundles agree on alerts of one class and number of points, as the live one says.

    `n_other_class` of `n_alerts` have another most probable class in shadow.
    """

    top_class: str
    points: str
    n_alerts: int
    n_other_class: int
    mean_distance: float
    largest_distance: float


@dataclass(frozen=True)
class Agreement:
    """A bundle in shadow beside a live one.

    Attributes
    ----------
    live, shadow : str
        The bundles, by name and version.
    pairs : list of Pair
        Alerts that both answered, the most different first.
    n_live_only, n_shadow_only : int
        Alerts that only one of them answered while the shadow ran.
    """

    live: str
    shadow: str
    pairs: Sequence[Pair]
    n_live_only: int = 0
    n_shadow_only: int = 0

    def rows(self) -> list[Row]:
        """Sum up: all alerts, then each class, the most frequent first, and its numbers of points.

        >>> Agreement("a:1", "a:2", []).rows()
        []
        """
        by_class = defaultdict(list)
        for pair in self.pairs:
            by_class[pair.live.top_class].append(pair)
        rows = [_row(ALL, ALL, self.pairs)] if self.pairs else []
        for name, of_class in sorted(by_class.items(), key=lambda item: (-len(item[1]), item[0])):
            rows.append(_row(name, ALL, of_class))
            for least, most in POINT_BINS:
                upper = np.inf if most is None else most
                if in_bin := [p for p in of_class if least <= p.live.n_points <= upper]:
                    rows.append(_row(name, bin_name(least, most), in_bin))
        return rows


def _row(top_class: str, points: str, pairs: Sequence[Pair]) -> Row:
    distances = [pair.distance for pair in pairs]
    n_other = sum(pair.live.top_class != pair.shadow.top_class for pair in pairs)
    mean = sum(distances) / len(distances)
    return Row(top_class, points, len(pairs), n_other, mean, max(distances))


def bin_name(least: int, most: int | None) -> str:
    """Name a range of numbers of points.

    >>> bin_name(1, 1), bin_name(3, 5), bin_name(21, None)
    ('1', '3-5', '21+')
    """
    if most is None:
        return f"{least}+"
    return str(least) if least == most else f"{least}-{most}"


def read_agreements(
    settings: KafkaSettings, topic: str, shadow_topic: str, track: Track = untracked
) -> list[Agreement]:
    """Read both topics to their present ends, and compare what they say of the same alerts.

    Raises
    ------
    DataError
        If a topic is not there, or no alert was answered on both.
    OutputUnavailableError
        If Kafka does not answer.
    """
    shadows = read_answers(settings, shadow_topic, track=track)
    if not shadows.of_bundles:
        msg = (
            f"no bundle has answered on {shadow_topic}: give one shadow = true in "
            "surveys.<survey>.bundles, and let serve answer some alerts"
        )
        raise DataError(msg)
    lives = read_answers(settings, topic, shadows.alerts, track)
    compared = agreements(lives, shadows)
    if not compared:
        msg = f"no alert with an answer on {shadow_topic} has one on {topic}"
        raise DataError(msg)
    return compared


def agreements(lives: BriefAnswers, shadows: BriefAnswers) -> list[Agreement]:
    """Compare each bundle in shadow with the live ones that it could take the place of.

    Those are the ones of its name, or all where none has it, as far as they answered its alerts.
    """
    compared = []
    for shadow, shadow_answers in sorted(shadows.of_bundles.items()):
        while_it_ran = _span(shadows.first_at.get(shadow, {}).values())
        for live in _rivals(shadow, sorted(lives.of_bundles)):
            live_answers, first_at = lives.of_bundles[live], lives.first_at.get(live, {})
            both = live_answers.keys() & shadow_answers.keys()
            pairs = [_pair(alert, live_answers[alert], shadow_answers[alert]) for alert in both]
            pairs.sort(key=lambda pair: (-pair.distance, pair.alert))
            n_live_only = sum(
                at_ms in while_it_ran and alert not in shadow_answers
                for alert, at_ms in first_at.items()
            )
            n_shadow_only = len(shadow_answers) - len(both)
            if pairs:
                compared.append(Agreement(live, shadow, pairs, n_live_only, n_shadow_only))
    return compared


def _span(moments_ms: Iterable[int]) -> range:
    moments = list(moments_ms)
    return range(min(moments), max(moments) + 1) if moments else range(0)


def _rivals(shadow: str, lives: Sequence[str]) -> Sequence[str]:
    return [live for live in lives if _name(live) == _name(shadow)] or lives


def _name(bundle: str) -> str:
    return bundle.rpartition(":")[0]


def _pair(alert: AlertName, live: BriefAnswer, shadow: BriefAnswer) -> Pair:
    return Pair(alert, live, shadow, distance(live, shadow))


def distance(live: BriefAnswer, shadow: BriefAnswer) -> float:
    """Give half the sum of the differences of the probabilities: 0 for the same, 1 at most.

    A class that a bundle does not have has the probability 0.
    """
    if live.classes == shadow.classes:
        return float(np.abs(live.probabilities - shadow.probabilities).sum() / 2)
    of_live, of_shadow = (
        dict(zip(answer.classes, answer.probabilities.tolist(), strict=True))
        for answer in (live, shadow)
    )
    classes = of_live.keys() | of_shadow.keys()
    return float(sum(abs(of_live.get(c, 0.0) - of_shadow.get(c, 0.0)) for c in classes)) / 2
