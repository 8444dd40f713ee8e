"""Make `objects.csv`: fit flares and damped random walks to real labelled ZTF light curves.

`python -m broker_classifier.demo.simulate.fit FOLDER` reads `objects.csv` and
`photometry.parquet` of the folder (format: README, "Training") and needs the extra `train`. Only
parameters leave the data: no point, no name, no date.
"""

import csv
import sys
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.optimize import least_squares, minimize

from broker_classifier.demo.simulate.curves import OBJECTS_FILE, Flare, Variability
from broker_classifier.light_curve import LIMIT_SIGMAS
from broker_classifier.light_curve.selection import NIGHT_OFFSET_DAYS

OBJECTS_PER_CLASS = {
    "SNIa": 45,
    "SNIa-91bg": 15,
    "SNIax": 15,
    "SNII": 45,
    "SNIbc": 35,
    "SLSN-I": 25,
    "TDE": 25,
    "AGN": 40,
}
_RARE = ("SNIa-91bg", "SNIax")
_HEADER = ["label", "sort", "g...", "r..."]
# Bounds of amplitude (peak fluxes), sag, plateau, start, rise, fall (d).
_LOWER = (0.02, 0.0, 0.5, -120.0, 0.3, 2.0)
_UPPER = (3.0, 0.9, 120.0, 40.0, 25.0, 200.0)
_PLATEAU_STARTS = (3.0, 15.0, 40.0, 80.0)
_REAL_SCATTER = 0.55  # of the quoted error of alerts
_MODEL_ERR = 0.04  # of the flux: what a flare cannot follow
_WORST_RESIDUAL = 0.12  # median, of the flux, where it is bright
_BRIGHT = 0.15  # of the peak
_AGN_SEASON_DAYS = 200.0


def main(folder: Path) -> None:
    """Fit a seeded draw of every class and write the table beside this file."""
    rng = np.random.default_rng(0)
    objects, curves = _read(folder)
    rows: list[list[str]] = []
    for label, wanted in OBJECTS_PER_CLASS.items():
        candidates = rng.permutation(objects.object_id[objects.label == label].to_numpy())
        fits = _fits(label, (curves[i] for i in candidates if i in curves))
        fitted = list(islice(fits, wanted))
        rows += fitted
        sys.stderr.write(f"{label}: {len(fitted)} of {len(candidates)} objects\n")
    with Path(__file__).with_name(OBJECTS_FILE).open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerows([_HEADER, *rows])


def _read(folder: Path) -> tuple[pd.DataFrame, dict[str, pd.DataFrame]]:
    objects = pd.read_csv(folder / "objects.csv", low_memory=False).query("preferred")
    points = pd.read_parquet(folder / "photometry.parquet")
    points = points[points.band.isin(["g", "r"]) & points.object_id.isin(objects.object_id)]
    points = points[points.flux_err_njy > 0]
    table = pd.DataFrame(
        {
            "object_id": points.object_id.astype(str),
            "mjd": points.mjd,
            "band": points.band.astype(str),
            "flux": points.flux_njy.astype(float),
            "err": points.flux_err_njy.astype(float),
            "limit": np.where(points.is_upper_limit, LIMIT_SIGMAS * points.flux_err_njy, np.nan),
            "night": np.floor(points.mjd + NIGHT_OFFSET_DAYS),
        }
    )
    once = table.drop_duplicates(["object_id", "band", "night"])
    return objects, {str(i): c for i, c in once.sort_values("mjd").groupby("object_id")}


def _fits(label: str, curves: Iterator[pd.DataFrame]) -> Iterator[list[str]]:
    for curve in curves:
        fit = _agn_fit(curve) if label == "AGN" else _transient_fit(label, curve)
        if fit is not None:
            yield [label, *fit]


def _transient_fit(label: str, curve: pd.DataFrame) -> list[str] | None:
    """Fit both bands; None if the object was seen too little or is no flare.

    `curve` has columns mjd, band, flux, err and limit (nJy; NaN for detections), as all below.
    """
    detected = curve[curve.limit.isna() & (curve.flux > 3 * curve.err)]
    enough = 5 if label in _RARE else 8
    if any((detected.band == band).sum() < enough for band in "gr"):
        return None
    smooth_flux = detected.flux.rolling(3, center=True, min_periods=1).median()
    peak_mjd = float(detected.mjd[smooth_flux.idxmax()])
    season = curve[(curve.mjd > peak_mjd - 120) & (curve.mjd < peak_mjd + 200)]
    first_mjd = detected.mjd[detected.mjd > peak_mjd - 120].min()
    if first_mjd > peak_mjd - 4:
        return None
    flares = [_flare(season[season.band == band], peak_mjd, first_mjd) for band in "gr"]
    if flares[0] is None or flares[1] is None:
        return None
    return ["flare", *_numbers(flares[0]), *_numbers(flares[1])]


def _flare(points: pd.DataFrame, peak_mjd: float, first_mjd: float) -> Flare | None:
    """Fit one band, upper limits before the first detection included."""
    detected = points[points.limit.isna()]
    limits = points[points.limit.notna() & (points.mjd < first_mjd)]
    if len(detected) < 4:
        return None
    peak = float(detected.flux.max())
    days, flux = detected.mjd.to_numpy() - peak_mjd, detected.flux.to_numpy() / peak
    err = np.hypot(_REAL_SCATTER * detected.err.to_numpy() / peak, _MODEL_ERR * flux)
    limit_days, limit = limits.mjd.to_numpy() - peak_mjd, limits.limit.to_numpy() / peak

    def residuals(x: NDArray[np.float64]) -> NDArray[np.float64]:
        flare = Flare(*x)
        above_limit = np.maximum(flare.flux(limit_days) - limit, 0.0) / (limit / LIMIT_SIGMAS)
        return np.concatenate([(flare.flux(days) - flux) / err, above_limit])

    starts = [(1.0, 0.1, plateau, -8.0, 3.0, 25.0) for plateau in _PLATEAU_STARTS]
    bounds = (_LOWER, _UPPER)
    solutions = [least_squares(residuals, x, bounds=bounds, loss="soft_l1") for x in starts]
    best = Flare(*min(solutions, key=lambda solution: solution.cost).x)
    bright = flux > _BRIGHT
    if np.median(np.abs(best.flux(days) / flux - 1)[bright]) > _WORST_RESIDUAL:
        return None
    return replace(best, amplitude=best.amplitude * peak)


def _agn_fit(curve: pd.DataFrame) -> list[str] | None:
    """Fit a damped random walk to each band; None without 60 points in both or a season."""
    bands = [curve[(curve.band == band) & curve.limit.isna()] for band in "gr"]
    if any(len(points) < 60 or np.ptp(points.mjd) < _AGN_SEASON_DAYS for points in bands):
        return None
    g, r = (_walk(points) for points in bands)
    return ["walk", *_numbers(g), *_numbers(r)]


def _walk(points: pd.DataFrame) -> Variability:
    """Find the most likely damping time; mean and deviation are robust ones of the sample."""
    days, flux = points.mjd.to_numpy(), points.flux.to_numpy()
    mean = float(np.median(flux))
    deviation = 1.4826 * float(np.median(np.abs(flux - mean)))
    noise = np.median(points.err.to_numpy()) / deviation
    scaled = np.clip((flux - mean) / deviation, -4.0, 4.0)

    def minus_log_likelihood(log_timescale: NDArray[np.float64]) -> float:
        kept = np.exp(-np.diff(days) / np.exp(log_timescale[0]))
        step = scaled[1:] - kept * scaled[:-1]
        variance = 1 - kept**2 + noise**2 * (1 + kept**2)
        return float(0.5 * np.sum(step**2 / variance + np.log(variance)))

    best = minimize(minus_log_likelihood, [np.log(100.0)], bounds=[(np.log(5.0), np.log(800.0))])
    return Variability(mean, deviation, float(np.exp(best.x[0])))


def _numbers(fit: Flare | Variability) -> list[str]:
    return [f"{round(value, 4):.4g}" for value in vars(fit).values()]


if __name__ == "__main__":
    main(Path(sys.argv[1]))
