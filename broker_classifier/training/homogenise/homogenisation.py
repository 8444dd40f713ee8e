"""Give every labelled light curve the look that the alert stream would have given it.

Classes come from different sources: supernovae from alerts, AGN from forced photometry. A model
would learn the source. So points that are no alerts are changed. They are thinned to the survey's
public cadence. They are dropped where they are too faint for the depth of their visit. The others
get the fluxes, errors and scatter that alerts of their brightness have. Or the object is observed
again at the visits of the other survey (`visits`). The label plays no part in any of this.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, ValidationError, field_validator, model_validator

from broker_classifier.errors import BundleError
from broker_classifier.light_curve import BANDS, LightCurve, curve_from_arrays
from broker_classifier.light_curve.selection import NIGHT_OFFSET_DAYS, band_positions
from broker_classifier.training.data.labelled_objects import LabelledObject
from broker_classifier.training.homogenise.alert_noise import (
    AlertNoise,
    alert_error,
    alert_probability,
    flux_in_alert,
    kinds,
)
from broker_classifier.training.homogenise.cadence import Cadence
from broker_classifier.training.homogenise.lost_signs import without_lost_signs
from broker_classifier.training.homogenise.visits import (
    Visits,
    observed_again,
    spread_within_nights,
)

AGAIN = " again"
HOMOGENISATION_FILE = "homogenisation.json"
Floats = NDArray[np.float64]
_MIN_RANKED_SNR = 2.0
_BIN_DEX = 0.2
_MIN_IN_BIN = 10


class Homogenisation(BaseModel):
    """How labelled light curves become alert-like; `homogenisation.json` of a bundle.

    Attributes
    ----------
    alert_sources : tuple of str
        Sources whose points are alerts, unless the set says that they are forced photometry. Alerts
        stay as they are.
    noise : AlertNoise
    unsigned_sources : tuple of str
        Sources that have lost the sign of the fluxes: see `lost_signs`.
    cadence : Cadence
        Of the alert sources' visits; a night that is visited keeps all of its bands.
    visits : tuple of Visits
        If there are any, each object that is not from the alert sources is observed again at the
        visits of another source, drawn by its id, instead of having its points changed.
    night_offset_days : float
        As in `Selection`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    alert_sources: tuple[str, ...]
    noise: AlertNoise
    unsigned_sources: tuple[str, ...] = ()
    cadence: Cadence = Cadence()
    visits: tuple[Visits, ...] = ()
    night_offset_days: float = NIGHT_OFFSET_DAYS

    @model_validator(mode="before")
    @classmethod
    def _one_cadence_is_of_all_years(cls, values: Any) -> Any:
        """Read older bundles, which have one cadence for all years."""
        if isinstance(values, dict) and "cadence_nights" in values:
            gaps = np.bincount(values["cadence_nights"])[1:]
            dropped = {"cadence_nights", "joint_visits"}
            values = {k: v for k, v in values.items() if k not in dropped}
            values["cadence"] = {"shares": [(gaps / gaps.sum()).tolist()]}
        return values

    @field_validator("visits", mode="before")
    @classmethod
    def _none_is_none_at_all(cls, visits: Any) -> Any:
        """Read older bundles, which say null for no visits."""
        return () if visits is None else visits


def read_homogenisation(bundle_folder: Path) -> Homogenisation:
    """Read how the training data of a bundle were prepared."""
    path = bundle_folder / HOMOGENISATION_FILE
    try:
        return Homogenisation.model_validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        msg = f"Bundle file {path} cannot be used ({error}): restore it or train the bundle again"
        raise BundleError(msg) from error


def homogenised(
    objects: Sequence[LabelledObject], rules: Homogenisation, draw: int = 0
) -> list[LightCurve]:
    """Make one alert-like light curve per object; empty where nothing would be detected.

    Visits, losses and scatter are random. They depend on the object and on the number of the draw.
    """
    objects = without_lost_signs(objects, rules.unsigned_sources)
    if rules.visits:
        return [_at_visits(o, rules, draw) for o in objects]
    forced = [o for o in objects if not is_from_alerts(o, rules.alert_sources)]
    seen = [_seen_by_visits(o, rules, draw) for o in forced]
    ranks = error_ranks(seen)
    as_alerts = {o.object_id: _quoted_as_alerts(o, ranks[o.object_id], rules, draw) for o in seen}
    return [
        as_alerts[o.object_id] if o.object_id in as_alerts else _as_measured(o, rules)
        for o in objects
    ]


def is_from_alerts(labelled: LabelledObject, alert_sources: Sequence[str]) -> bool:
    """Tell whether an object's points are alerts, by its source and by what the set says."""
    if labelled.source in alert_sources:
        return labelled.is_forced is not True
    return not labelled.names_source and labelled.is_forced is False


def _as_measured(labelled: LabelledObject, rules: Homogenisation) -> LightCurve:
    kind = kinds(labelled.flux, labelled.flux_err, rules.noise)
    return curve_from_arrays(labelled.mjd, labelled.flux, labelled.flux_err, labelled.band, kind)


def _at_visits(labelled: LabelledObject, rules: Homogenisation, draw: int) -> LightCurve:
    random = random_of(labelled.object_id, _purpose("visits", draw))
    elsewhere = [v for v in rules.visits if v.source + AGAIN != labelled.source] or rules.visits
    visits = elsewhere[int(random.integers(len(elsewhere)))]
    if not is_from_alerts(labelled, rules.alert_sources):
        labelled = observed_again(labelled, visits, rules.noise, random)
    return spread_within_nights(_as_measured(labelled, rules), visits, random)


def seen_again(objects: Sequence[LabelledObject]) -> list[LabelledObject]:
    """Make a further view of each object, which counts as no alert, to be observed again."""
    views = [(f"{o.object_id}{AGAIN}", o.source + AGAIN, o) for o in objects]
    return [replace(o, object_id=i, source=s, names_source=True) for i, s, o in views]


def error_ranks(objects: Sequence[LabelledObject]) -> dict[str, Floats]:
    """Rank every error among points of the same source, band and flux (0.2 dex).

    A rank keeps what made an observation worse than others: the moon, the seeing, the host. Where
    fewer than ten points compare, the rank is drawn at random, by the object's id.

    Returns
    -------
    dict of object_id to float array, shape (n,)
        From 0 to 1.
    """
    if not objects:
        return {}
    lengths = [len(o.mjd) for o in objects]
    sources = {source: i for i, source in enumerate(sorted({o.source for o in objects}))}
    source = np.repeat([sources[o.source] for o in objects], lengths)
    flux = np.concatenate([o.flux for o in objects])
    err = np.concatenate([o.flux_err for o in objects])
    band = np.concatenate([o.band for o in objects])
    is_bright = flux > _MIN_RANKED_SNR * err
    bin_ = np.floor(np.log10(np.where(is_bright, flux, 1.0)) / _BIN_DEX).astype(np.int64)
    ranks = np.concatenate([random_of(o.object_id, "rank").random(len(o.mjd)) for o in objects])
    cell = np.where(is_bright, (source * 8 + band) * 1000 + bin_ + 500, -1)
    _rank_within(cell, err, ranks)
    pieces = np.split(ranks, np.cumsum(lengths)[:-1])
    return {o.object_id: piece for o, piece in zip(objects, pieces, strict=True)}


def random_of(object_id: str, purpose: str) -> np.random.Generator:
    """Make a generator that depends on the object alone, so that each run draws the same."""
    digest = hashlib.sha256(f"{purpose}/{object_id}".encode()).digest()
    return np.random.default_rng(int.from_bytes(digest[:8], "big"))


def _purpose(purpose: str, draw: int) -> str:
    return f"{purpose} {draw}" if draw else purpose


def _rank_within(cell: NDArray[np.int64], err: Floats, ranks: Floats) -> None:
    order = np.lexsort((err, cell))
    bounds = np.flatnonzero(np.diff(cell[order], prepend=-2, append=-2))
    for start, stop in pairwise(bounds.tolist()):
        n = stop - start
        if n >= _MIN_IN_BIN and cell[order[start]] >= 0:
            ranks[order[start:stop]] = (np.arange(n) + 0.5) / n


def _seen_by_visits(labelled: LabelledObject, rules: Homogenisation, draw: int) -> LabelledObject:
    """Keep the points that a survey's public visits would have seen, with their flux in alerts."""
    random = random_of(labelled.object_id, _purpose("homogenise", draw))
    position = band_positions(rules.noise.bands)[labelled.band]
    labelled = labelled.at(np.flatnonzero(position >= 0))
    position = position[position >= 0]
    kept = _visits(labelled, rules, random)
    flux, band = labelled.flux[kept], position[kept]
    is_alert = flux > 0.0
    if rules.noise.depth is not None:
        depth = rules.noise.depth.of_errors(labelled.flux_err[kept], band, labelled.source)
        probability = alert_probability(flux / depth, band, rules.noise.depth)
        is_alert &= random.random(len(flux)) < probability
        flux = flux_in_alert(flux, depth, band, rules.noise.depth)
    return replace(labelled.at(kept[is_alert]), flux=flux[is_alert])


def _quoted_as_alerts(
    labelled: LabelledObject, rank: Floats, rules: Homogenisation, draw: int
) -> LightCurve:
    random = random_of(labelled.object_id, _purpose("quoted", draw))
    noise, flux, err = rules.noise, labelled.flux, labelled.flux_err
    position = band_positions(noise.bands)[labelled.band]
    scatter = noise.scatter_fraction * alert_error(flux, position, rank, noise)
    missing = np.sqrt(np.maximum(scatter**2 - err**2, 0.0))
    flux = np.maximum(flux + missing * random.normal(size=len(flux)), 1.0)
    quoted = alert_error(flux, position, rank, noise)
    kind = kinds(flux, quoted, noise)
    return curve_from_arrays(labelled.mjd, flux, quoted, labelled.band, kind)


def _visits(
    labelled: LabelledObject, rules: Homogenisation, random: np.random.Generator
) -> NDArray[np.int64]:
    """Find a survey's public visits: the first point of each band, in the nights visited."""
    night = np.floor(labelled.mjd + rules.night_offset_days).astype(np.int64)
    visited = rules.cadence.visited(np.unique(night), random)
    _, first = np.unique(night * len(BANDS) + labelled.band, return_index=True)
    return np.sort(first[np.isin(night[first], visited)])
