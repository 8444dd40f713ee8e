"""From labelled objects to examples, which train and test: the episode that was the event."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from broker_classifier.light_curve import EMPTY, LightCurve
from broker_classifier.light_curve.selection import Selection, band_positions, episodes
from broker_classifier.training.data.labelled_objects import LabelledObject
from broker_classifier.training.homogenise.homogenisation import (
    Homogenisation,
    homogenised,
    is_from_alerts,
    random_of,
)

N_LATE_STARTS = 8
DAYS_BEFORE = 60.0


class Pipeline(NamedTuple):
    """Where a light curve comes from: a source, and whether its points are alerts."""

    source: str
    is_alert: bool


@dataclass(frozen=True)
class Example:
    """One view of one object.

    Attributes
    ----------
    canonical_id, source : str
    target : int
        Position of its class.
    weight : float
        Views of one object share a weight of 1.
    curves : tuple of LightCurve
        Episodes of used points only. The first is the event. The others are later starts of it, and
        the event as other visits would have seen it.
    measured : tuple of LightCurve
        All points around each of them, used or not: a variation may use other points. Empty where
        there are no more points.
    object_id, raw_type : str
        As in `LabelledObject`.
    is_alert : bool
        Whether its points are alerts as the survey sent them.
    """

    canonical_id: str
    source: str
    target: int
    weight: float
    curves: tuple[LightCurve, ...]
    measured: tuple[LightCurve, ...] = ()
    object_id: str = ""
    raw_type: str = ""
    is_alert: bool = False

    @property
    def pipeline(self) -> Pipeline:
        """A source may hold alerts of some objects and forced photometry of others."""
        return Pipeline(self.source, self.is_alert)


def main_episode(curve: LightCurve, selection: Selection) -> LightCurve:
    """Keep the used points of the first episode with two or more; else of the first.

    A single detection years before a supernova is noise; one long after it is not the event.
    """
    all_episodes = episodes(curve, selection)
    longer = [index for index in all_episodes if len(index) > 1]
    return LightCurve(curve.points[(longer or all_episodes)[0]]) if all_episodes else EMPTY


def make_examples(
    objects: Sequence[LabelledObject],
    rules: Homogenisation,
    selection: Selection,
    classes: Sequence[str],
    late_start_classes: Sequence[str] = (),
    n_draws: int = 1,
) -> list[Example]:
    """Homogenise objects and find their events; objects without a usable point are left out.

    Objects that are not from alerts are homogenised `n_draws` times, as other visits would have
    seen them.
    """
    events = []
    drawn = _other_draws(objects, rules, selection, n_draws)
    for labelled, curve in zip(objects, homogenised(objects, rules), strict=True):
        starts_late = labelled.label in late_start_classes
        curves = _curves(labelled, curve, selection, starts_late)
        if curves:
            seen = [(c, curve) for c in curves] + drawn[labelled.object_id]
            is_whole = rules.noise.detection_snr is not None
            measured = [_around(c, whole, selection) for c, whole in seen if is_whole]
            events.append((labelled, tuple(c for c, _ in seen), tuple(measured)))
    ids = [labelled.canonical_id for labelled, *_ in events]
    n_views = dict(zip(*np.unique(ids, return_counts=True), strict=True))
    return [
        Example(
            labelled.canonical_id,
            labelled.source,
            classes.index(labelled.label),
            1.0 / float(n_views[labelled.canonical_id]),
            curves,
            measured,
            labelled.object_id,
            labelled.raw_type,
            is_from_alerts(labelled, rules.alert_sources),
        )
        for labelled, curves, measured in events
    ]


def _other_draws(
    objects: Sequence[LabelledObject], rules: Homogenisation, selection: Selection, n_draws: int
) -> dict[str, list[tuple[LightCurve, LightCurve]]]:
    """Give the events that other visits would have seen, each with its whole light curve."""
    forced = [o for o in objects if not is_from_alerts(o, rules.alert_sources)]
    draws: dict[str, list[tuple[LightCurve, LightCurve]]] = {o.object_id: [] for o in objects}
    for draw in range(1, n_draws):
        for labelled, curve in zip(forced, homogenised(forced, rules, draw), strict=True):
            event = main_episode(curve, selection)
            draws[labelled.object_id] += [(event, curve)] if len(event) > 1 else []
    return draws


def _around(episode: LightCurve, curve: LightCurve, selection: Selection) -> LightCurve:
    """Keep the points from before an episode to its end, and some later ones for compression."""
    start, end = episode.mjd[0] - DAYS_BEFORE, episode.mjd[0] + 1.2 * selection.window_days
    in_bands = band_positions(selection.bands)[curve.band] >= 0
    return LightCurve(curve.points[in_bands & (curve.mjd >= start) & (curve.mjd <= end)])


def _curves(
    labelled: LabelledObject, curve: LightCurve, selection: Selection, starts_late: bool
) -> tuple[LightCurve, ...]:
    event = main_episode(curve, selection)
    if not len(event):
        return ()
    n_starts = min(N_LATE_STARTS, len(curve)) if starts_late else 0
    random = random_of(labelled.object_id, "late start")
    starts = random.choice(len(curve), n_starts, replace=False).tolist()
    later = [main_episode(LightCurve(curve.points[start:]), selection) for start in starts]
    return (event, *(c for c in later if len(c) > 1))
