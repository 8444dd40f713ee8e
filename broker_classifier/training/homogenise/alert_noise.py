"""What an alert stream does to a flux: its quoted error, and whether it becomes an alert at all.

By it forced photometry gets the look of alerts, so that the origin of a light curve does not tell
its class. By it, too, a light curve that is dimmed for training gets new errors.
"""

from collections.abc import Sequence
from typing import Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, model_validator

from broker_classifier.light_curve import Kind

Floats = NDArray[np.float64]
Positions = NDArray[np.int64]
RANKS = tuple(np.linspace(0, 1, 11).round(2).tolist())
FINE_RANKS = (0.0, 0.001, 0.01, 0.05, *RANKS[1:-1], 0.95, 0.99, 0.999, 1.0)


class Depth(BaseModel):
    """How deep a stream's visits see, and which part of what they see becomes alerts, per band.

    Attributes
    ----------
    log_depth : per band, per rank 0, 0.1, ..., 1
        log10 of the noise of the sky (1 sigma, nJy) that has this rank among all visits, also those
        that found nothing.
    log_excess : per band, per node of `AlertNoise.log_flux`
        log10 of how much the quoted error of an alert exceeds it, in quadrature (nJy).
    threshold_snr, threshold_width : tuple of float, one per band
        At this flux over depth half of `completeness` become alerts; the logistic width of the
        step, in ln(flux over depth).
    completeness : tuple of float, one per band
        The part of bright sources that become alerts.
    scales : dict of str to tuple of float, one per band
        Depth over error, for each source of forced photometry.
    flux_scatter : tuple of float, one per band
        Scatter of the alerts' fluxes about forced photometry of the same visits, over depth; 0 in a
        band where it could not be fitted, empty if it could be in none.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    log_depth: tuple[tuple[float, ...], ...]
    log_excess: tuple[tuple[float, ...], ...]
    threshold_snr: tuple[float, ...]
    threshold_width: tuple[float, ...]
    completeness: tuple[float, ...]
    scales: dict[str, tuple[float, ...]] = {}
    flux_scatter: tuple[float, ...] = ()

    def of_errors(self, flux_err: Floats, band: Positions, source: str) -> Floats:
        """Tell from the errors (nJy) of forced photometry how deep the visits were (nJy).

        A source without a scale has the mean of all scales. No visit is deeper than the stream's
        deepest.
        """
        scales = list(self.scales.values()) or [(1.0,) * len(self.log_depth)]
        scale = self.scales.get(source, np.mean(scales, axis=0))
        deepest = 10.0 ** np.array(self.log_depth)[:, 0]
        return np.asarray(np.maximum(flux_err * np.array(scale)[band], deepest[band]))


class AlertNoise(BaseModel):
    """Quantiles of the alerts' errors at given flux, and which points are alerts, per band.

    Keys of earlier versions are ignored.

    Attributes
    ----------
    bands : tuple of str
    log_flux : tuple of float
        log10 of the flux (nJy) at the nodes.
    ranks : tuple of float
        From 0 to 1, ascending. Bundles once had tenths, which lack the tails: a straight line from
        the very smallest error to the tenth is far from the truth.
    log_err : per band, per node of `log_flux`, per rank
        log10 of the quoted error (nJy) that has this rank among alerts of this flux.
    scatter_fraction : float
        Real scatter of the alerts over their quoted error.
    depth : Depth or None
        What is too faint for its visit is lost.
    detection_snr : float or None
        A sharp threshold instead: points of this |SNR| are detections, those below are forced
        photometry of the same object, and none is lost.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    bands: tuple[str, ...]
    log_flux: tuple[float, ...]
    ranks: tuple[float, ...] = RANKS
    log_err: tuple[tuple[tuple[float, ...], ...], ...]
    scatter_fraction: float = 0.55
    depth: Depth | None = None
    detection_snr: float | None = None

    @model_validator(mode="after")
    def _says_what_is_lost(self) -> Self:
        if (self.depth is None) == (self.detection_snr is None):
            msg = "noise has either depth or detection_snr; up to 0.2.0 ztf bundles had neither"
            raise ValueError(msg)
        return self

    @model_validator(mode="after")
    def _has_an_error_of_each_rank(self) -> Self:
        lengths = {len(errors) for of_band in self.log_err for errors in of_band}
        if lengths - {len(self.ranks)}:
            msg = f"log_err must have one error per rank, {len(self.ranks)}, but has {lengths}"
            raise ValueError(msg)
        return self


def alert_error(flux: Floats, band: Positions, rank: Floats, noise: AlertNoise) -> Floats:
    """Quote the error (nJy) that an alert of this flux, band position and rank would have.

    Parameters
    ----------
    flux : float array, shape (n,)
        nJy; its sign does not matter.
    band : int array, shape (n,)
        Positions in `noise.bands`.
    rank : float array, shape (n,)
        0 for the smallest error at this flux, 1 for the largest.
    """
    return error_on_ladder(_ladder(flux, band, noise), rank, noise.ranks)


def error_on_ladder(ladder: Floats, rank: Floats, ranks: Sequence[float]) -> Floats:
    """Read errors (nJy) off ladders of log10 errors, shape (n, len(ranks)), at ranks (n,)."""
    at, rank = np.array(ranks), np.clip(rank, 0, 1)
    low = np.clip(np.searchsorted(at, rank, side="right") - 1, 0, len(at) - 2)
    part = (rank - at[low]) / (at[low + 1] - at[low])
    rows = np.arange(len(rank))
    lower, upper = ladder[rows, low], ladder[rows, low + 1]
    return np.asarray(10.0 ** (lower + part * (upper - lower)))


def error_rank(flux: Floats, flux_err: Floats, band: Positions, noise: AlertNoise) -> Floats:
    """Invert `alert_error`: the rank of a quoted error among alerts of the same flux."""
    ladder, ranks = _ladder(flux, band, noise), np.array(noise.ranks)
    log_err = np.log10(flux_err)[:, None]
    low = np.clip((ladder <= log_err).sum(axis=1) - 1, 0, len(ranks) - 2)
    rows = np.arange(len(flux))
    step = np.maximum(ladder[rows, low + 1] - ladder[rows, low], 1e-9)
    part = np.clip((log_err[:, 0] - ladder[rows, low]) / step, 0, 1)
    return np.asarray(ranks[low] + part * (ranks[low + 1] - ranks[low]))


def depth_of_alert(
    flux: Floats, flux_err: Floats, band: Positions, noise: AlertNoise, depth: Depth
) -> Floats:
    """Tell from an alert's quoted error how deep its visit was (nJy), within the visits' depths."""
    ladder = 10.0 ** np.array(depth.log_depth)[band]
    excess = _excess_error(flux, band, noise, depth)
    square = np.maximum(flux_err**2 - excess**2, 0.0)
    return np.asarray(np.clip(np.sqrt(square), ladder[:, 0], ladder[:, -1]))


def alert_error_at(
    flux: Floats, band: Positions, at_depth: Floats, noise: AlertNoise, depth: Depth
) -> Floats:
    """Quote the usual error (nJy) of an alert of this flux from a visit of this depth (nJy)."""
    return np.hypot(at_depth, _excess_error(flux, band, noise, depth))


def alert_probability(flux_over_depth: Floats, band: Positions, depth: Depth) -> Floats:
    """Probability that a source becomes an alert."""
    threshold, width = np.array(depth.threshold_snr)[band], np.array(depth.threshold_width)[band]
    return np.array(depth.completeness)[band] * logistic_step(flux_over_depth, threshold, width)


def flux_in_alert(flux: Floats, at_depth: Floats, band: Positions, depth: Depth) -> Floats:
    """Give the mean flux (nJy) in alerts of sources that forced photometry gives this flux.

    Most faint sources that become alerts were scattered upwards. If an alert's flux y scatters by s
    about the forced flux x, and p(x) become alerts, the mean of y in alerts is x + s^2 d(ln p)/dx
    (Tweedie's formula: Efron 2011, doi:10.1198/jasa.2011.tm11181). Without a scatter fluxes stay as
    they are.
    """
    if not depth.flux_scatter:
        return flux
    threshold, width = np.array(depth.threshold_snr)[band], np.array(depth.threshold_width)[band]
    x = np.maximum(flux / at_depth, 1.0)  # of fainter sources hardly 1 in 100 is an alert
    slope = (1.0 - logistic_step(x, threshold, width)) / (width * x)
    return np.asarray(flux + np.array(depth.flux_scatter)[band] ** 2 * slope * at_depth)


def logistic_step(snr: Floats, threshold: Floats | float, width: Floats | float) -> Floats:
    """Rise from 0 to 1 around a threshold, over a width in ln(SNR)."""
    distance = np.log(np.maximum(snr, 1e-3) / threshold) / width
    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(distance, -50, 50))))


def kinds(flux: Floats, flux_err: Floats, noise: AlertNoise) -> NDArray[np.uint8]:
    """Give the `Kind` of every point: a detection where it reaches `detection_snr`, if that is set.

    Without it every point is a detection.
    """
    least = 0.0 if noise.detection_snr is None else noise.detection_snr
    is_detection = np.abs(flux) >= least * flux_err
    return np.where(is_detection, Kind.DETECTION, Kind.FORCED).astype(np.uint8)


def _excess_error(flux: Floats, band: Positions, noise: AlertNoise, depth: Depth) -> Floats:
    return _per_band(band, _log(flux), noise.log_flux, depth.log_excess)


def _per_band(
    band: Positions, at: Floats, nodes: tuple[float, ...], table: tuple[tuple[float, ...], ...]
) -> Floats:
    """Interpolate in the row of each band; the table holds log10."""
    rows = [np.interp(at, nodes, row) for row in table]
    return np.asarray(10.0 ** np.choose(band, rows))


def _ladder(flux: Floats, band: Positions, noise: AlertNoise) -> Floats:
    """log10 errors of every rank at these fluxes, shape (n, ranks)."""
    table = np.array(noise.log_err)
    nodes = np.array(noise.log_flux)
    at = np.clip(_log(flux), nodes[0], nodes[-1])
    high = np.clip(np.searchsorted(nodes, at), 1, len(nodes) - 1)
    part = ((at - nodes[high - 1]) / (nodes[high] - nodes[high - 1]))[:, None]
    return np.asarray((1 - part) * table[band, high - 1] + part * table[band, high])


def _log(flux: Floats) -> Floats:
    return np.log10(np.maximum(np.abs(flux), 1e-3))
