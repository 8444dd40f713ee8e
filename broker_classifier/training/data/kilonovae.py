"""Simulated kilonovae: no survey has a sample, so model light curves are put into real visits.

An event is the sum of a red component (many lanthanides) and a blue one that is seen in part, as
from an angle. It takes the times, bands and errors at which a survey measured some real object, so
that cadence, weather and noise are those of the survey, and is kept if that survey would have
detected it twice. What comes out is a data folder as `labelled_objects` describes it.

Training events have other ejecta masses than validation and test events (those of fold 0), so a
figure about the latter says how well unseen ejecta are recognised; it says nothing about what the
models lack.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from broker_classifier.errors import DataError
from broker_classifier.light_curve import BANDS
from broker_classifier.light_curve.selection import band_positions
from broker_classifier.progress import Track, untracked
from broker_classifier.training.data.kilonova_spectra import (
    Passband,
    SpectralGrid,
    band_flux,
    flux_at,
    luminosity_distance,
    read_grids,
    read_passbands,
    redshift_at,
)
from broker_classifier.training.data.labelled_objects import (
    DataFolders,
    LabelledObject,
    name_of,
    read_objects,
)
from broker_classifier.training.data.split import TRAIN, split_of

Floats = NDArray[np.float64]
LABEL = "KN"
REACH_MPC = {"ztf": 400.0, "lsst": 1200.0}
DONOR_CLASSES = ("SNIa", "SNIa-91bg", "SNIax", "SNII", "SNIbc", "SLSN-I", "TDE", "AGN")
HELD_OUT_MASS = 0.025
FEW_LANTHANIDES = 1e-3
N_REDSHIFTS = 12
DETECTION_SNR = 5.0
LEAST_DETECTIONS = 2
LN_LUMINOSITY_SCATTER = 0.3
DAYS_BEFORE, DAYS_AFTER = 30.0, 45.0
FAINT_SNR, FAINT_SHARE = 2.0, 0.05
TRIES = 5000


@dataclass(frozen=True)
class Event:
    """One kilonova; `blue` and `red` are positions of its grids.

    Attributes
    ----------
    blue, red : int
    blue_share : float
        Part of the blue component that is seen.
    luminosity : float
        Factor on both.
    redshift : float
    merger_mjd : float
    """

    blue: int
    red: int
    blue_share: float
    luminosity: float
    redshift: float
    merger_mjd: float


@dataclass(frozen=True, eq=False)
class Models:
    """Light curves of every grid in a survey's bands, at some redshifts out to its reach.

    Attributes
    ----------
    grids : list of SpectralGrid
    bands : tuple of str
        B letters.
    reach_mpc : float
    redshifts : float array, shape (Z,)
    flux : list of list of float array, shape (T, B)
        nJy, by grid and redshift.
    """

    grids: list[SpectralGrid]
    bands: tuple[str, ...]
    reach_mpc: float
    redshifts: Floats
    flux: list[list[Floats]]


def simulate_kilonovae(
    templates: str | Path,
    visits: DataFolders,
    survey: str,
    output: str | Path,
    n_events: int,
    seed: int = 0,
    report: Callable[[str], None] = lambda message: None,
    track: Track = untracked,
) -> Path:
    """Write a data folder of kilonovae that a survey would have detected.

    Parameters
    ----------
    templates : path
        As `kilonova_spectra` describes it.
    visits : path or sequence of paths
        Labelled light curves; those that hold detections only are left out.
    survey : str
        "ztf" or "lsst": its passbands, and how far it is searched.
    output : path
        Folder, made if absent.
    n_events : int
    seed : int
        Other seeds draw other events.
    report : callable
        Takes one line of progress at a time.
    track : Track
        Shows how far it is.

    Raises
    ------
    DataError
        Templates or visits cannot be used, or an event of these visits is too seldom detected.
    """
    passbands, grids = read_passbands(Path(templates), survey), read_grids(Path(templates))
    _refuse_lack(grids)
    models = tabulated(grids, passbands, REACH_MPC[survey])
    donors = every_visit_of(read_objects(visits, DONOR_CLASSES))
    if not donors:
        msg = f"No object of {name_of(visits)} holds its non-detections: give forced photometry"
        raise DataError(msg)
    report(f"{len(models.grids)} spectral grids, visits of {len(donors)} light curves")
    rows, points = [], []
    for n in track(range(n_events), "kilonovae"):
        name = f"kilonova-{survey}-{seed}-{n:05d}"
        event, table = _detected(name, models, donors, np.random.default_rng([seed, n]))
        rows.append(_row(name, event, models, survey))
        points.append(table.assign(object_id=name))
    folder = Path(output)
    folder.mkdir(parents=True, exist_ok=True)
    pd.DataFrame(rows).to_csv(folder / "objects.csv", index=False)
    pd.concat(points).to_parquet(folder / "photometry.parquet")
    return folder


def _refuse_lack(grids: Sequence[SpectralGrid]) -> None:
    """Refuse grids of which some events could not be drawn."""
    kinds = {(g.mass == HELD_OUT_MASS, g.lanthanides < FEW_LANTHANIDES) for g in grids}
    if len(kinds) < 4:
        msg = (
            f"The spectra need a mass of {HELD_OUT_MASS} and another one, and of both a lanthanide "
            f"fraction below {FEW_LANTHANIDES} and another one: add the files that are missing"
        )
        raise DataError(msg)


def tabulated(
    grids: list[SpectralGrid], passbands: Mapping[str, Passband], reach_mpc: float
) -> Models:
    """Compute the light curves of all grids at redshifts; events take the nearest K-correction."""
    redshifts = redshift_at(reach_mpc) * (np.arange(N_REDSHIFTS) + 0.5) / N_REDSHIFTS
    flux = [[band_flux(grid, z, passbands) for z in redshifts.tolist()] for grid in grids]
    return Models(grids, tuple(passbands), reach_mpc, redshifts, flux)


def every_visit_of(objects: Sequence[LabelledObject]) -> list[LabelledObject]:
    """Keep light curves that hold non-detections, too."""
    return [
        o
        for o in objects
        if len(o.mjd) and np.mean(np.abs(o.flux) < FAINT_SNR * o.flux_err) > FAINT_SHARE
    ]


def draw_event(
    grids: Sequence[SpectralGrid],
    is_for_training: bool,
    reach_mpc: float,
    between: tuple[float, float],
    random: np.random.Generator,
) -> Event:
    """Draw an event, uniform in volume and in the time of its merger."""
    allowed = [i for i, g in enumerate(grids) if (g.mass == HELD_OUT_MASS) != is_for_training]
    blue = [i for i in allowed if grids[i].lanthanides < FEW_LANTHANIDES]
    red = [i for i in allowed if grids[i].lanthanides >= FEW_LANTHANIDES]
    return Event(
        blue=blue[int(random.integers(len(blue)))],
        red=red[int(random.integers(len(red)))],
        blue_share=float(random.random()),
        luminosity=float(np.exp(random.normal(0.0, LN_LUMINOSITY_SCATTER))),
        redshift=redshift_at(reach_mpc * float(random.random()) ** (1 / 3)),
        merger_mjd=float(random.uniform(*between)),
    )


def flux_of(event: Event, models: Models, mjd: Floats, position: NDArray[np.int64]) -> Floats:
    """Compute an event's true flux (nJy), shape (n,), at times and positions of bands."""
    node = int(np.abs(models.redshifts - event.redshift).argmin())
    distances = luminosity_distance(models.redshifts[node]), luminosity_distance(event.redshift)
    dimming = event.luminosity * (distances[0] / distances[1]) ** 2
    rest_days = (mjd - event.merger_mjd) / (1 + event.redshift)
    flux = np.zeros(len(mjd))
    for component, share in ((event.red, 1.0), (event.blue, event.blue_share)):
        tabulated_flux = models.flux[component][node]
        for b in np.unique(position):
            here = position == b
            model = flux_at(models.grids[component].days, tabulated_flux[:, b], rest_days[here])
            flux[here] += share * dimming * model
    return flux


def _detected(
    name: str, models: Models, donors: Sequence[LabelledObject], random: np.random.Generator
) -> tuple[Event, pd.DataFrame]:
    """Draw events into visits until one is detected twice: the table of its points."""
    is_for_training = split_of(name) == TRAIN
    for _ in range(TRIES):
        donor = donors[int(random.integers(len(donors)))]
        span = float(donor.mjd[0]) - 1.0, float(donor.mjd[-1])
        event = draw_event(models.grids, is_for_training, models.reach_mpc, span, random)
        age = donor.mjd - event.merger_mjd
        position = band_positions(models.bands)[donor.band]
        seen = (age >= -DAYS_BEFORE) & (age <= DAYS_AFTER) & (position >= 0)
        true = flux_of(event, models, donor.mjd[seen], position[seen])
        err = donor.flux_err[seen]
        flux = true + err * random.normal(size=len(true))
        is_seen = (flux >= DETECTION_SNR * err) & (true >= DETECTION_SNR / 2 * err)
        if is_seen.sum() >= LEAST_DETECTIONS:
            return event, _table(donor, seen, flux)
    msg = f"No kilonova was detected in {TRIES} tries: give visits that are denser or deeper"
    raise DataError(msg)


def _table(donor: LabelledObject, seen: NDArray[np.bool_], flux: Floats) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "mjd": donor.mjd[seen],
            "band": [BANDS[b] for b in donor.band[seen]],
            "flux_njy": flux,
            "flux_err_njy": donor.flux_err[seen],
        }
    )


def _row(name: str, event: Event, models: Models, survey: str) -> dict[str, Any]:
    components = models.grids[event.blue].name, models.grids[event.red].name
    return {
        "object_id": name,
        "label": LABEL,
        "raw_type": f"{event.blue_share:.2f} x {components[0]} + {components[1]}",
        "redshift": round(event.redshift, 5),
        "luminosity": round(event.luminosity, 3),
        "merger_mjd": round(event.merger_mjd, 4),
        "source_repo": f"kilonovae-{survey}",
        "preferred": True,
    }
