"""What an alert stream does to a flux: its quoted error, and whether it becomes an alert at all.

It serves to give forced photometry the look of alerts, so that a class cannot be told from where
its light curves were found, and to draw new errors when a light curve is dimmed for training.
"""

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from broker_classifier.light_curve import Kind

Floats = NDArray[np.float64]
RANKS = tuple(np.linspace(0, 1, 11).round(2).tolist())


class AlertNoise(BaseModel):
    """Quantiles of the alerts' errors at given flux, and their detection thresholds, per band.

    Attributes
    ----------
    bands : tuple of str
    log_flux : tuple of float
        log10 of the flux (nJy) at the nodes.
    log_err : per band, per node of `log_flux`, per rank 0, 0.1, ..., 1
        log10 of the quoted error (nJy) that has this rank among alerts of this flux.
    threshold_snr, threshold_width : tuple of float, one per band
        Half of the points of this quoted signal-to-noise ratio become alerts; the logistic
        width of the step, in ln(SNR).
    scatter_fraction : float
        Real scatter of the alerts over their quoted error.
    detection_snr : float or None
        A sharp threshold instead: points of this |SNR| are detections, those below are forced
        photometry of the same object, and none is lost.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    bands: tuple[str, ...]
    log_flux: tuple[float, ...]
    log_err: tuple[tuple[tuple[float, ...], ...], ...]
    threshold_snr: tuple[float, ...]
    threshold_width: tuple[float, ...]
    scatter_fraction: float = 0.55
    detection_snr: float | None = None


def alert_error(flux: Floats, band: NDArray[np.int64], rank: Floats, noise: AlertNoise) -> Floats:
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
    ladder = _ladder(flux, band, noise)
    at = np.clip(rank, 0, 1) * (len(RANKS) - 1)
    low = np.minimum(at.astype(int), len(RANKS) - 2)
    rows = np.arange(len(flux))
    log_err = ladder[rows, low] + (at - low) * (ladder[rows, low + 1] - ladder[rows, low])
    return np.asarray(10.0**log_err)


def error_rank(
    flux: Floats, flux_err: Floats, band: NDArray[np.int64], noise: AlertNoise
) -> Floats:
    """Invert `alert_error`: the rank of a quoted error among alerts of the same flux."""
    ladder = _ladder(flux, band, noise)
    log_err = np.log10(flux_err)[:, None]
    low = np.clip((ladder <= log_err).sum(axis=1) - 1, 0, len(RANKS) - 2)
    rows = np.arange(len(flux))
    step = np.maximum(ladder[rows, low + 1] - ladder[rows, low], 1e-9)
    part = np.clip((log_err[:, 0] - ladder[rows, low]) / step, 0, 1)
    return np.asarray((low + part) / (len(RANKS) - 1))


def alert_probability(snr: Floats, band: NDArray[np.int64], noise: AlertNoise) -> Floats:
    """Probability that a point of this quoted signal-to-noise ratio is an alert."""
    threshold = np.array(noise.threshold_snr)[band]
    width = np.array(noise.threshold_width)[band]
    distance = np.log(np.maximum(snr, 1e-3) / threshold) / width
    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(distance, -50, 50))))


def kinds(flux: Floats, flux_err: Floats, noise: AlertNoise) -> NDArray[np.uint8]:
    """Give the `Kind` of every point: a detection where it reaches `detection_snr`, if that is set.

    Without, what is there has been an alert.
    """
    least = 0.0 if noise.detection_snr is None else noise.detection_snr
    is_detection = np.abs(flux) >= least * flux_err
    return np.where(is_detection, Kind.DETECTION, Kind.FORCED).astype(np.uint8)


def _ladder(flux: Floats, band: NDArray[np.int64], noise: AlertNoise) -> Floats:
    """log10 errors of every rank at these fluxes, shape (n, ranks)."""
    table = np.array(noise.log_err)
    nodes = np.array(noise.log_flux)
    at = np.clip(np.log10(np.maximum(np.abs(flux), 1e-3)), nodes[0], nodes[-1])
    high = np.clip(np.searchsorted(nodes, at), 1, len(nodes) - 1)
    part = ((at - nodes[high - 1]) / (nodes[high] - nodes[high - 1]))[:, None]
    return np.asarray((1 - part) * table[band, high - 1] + part * table[band, high])
