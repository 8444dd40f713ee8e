"""Supernovae of a deeper survey, brought so near that another survey could have seen them.

What an object at redshift z sends into one band, from redshift (1 + z) / k - 1 it sends into a band
of 1 / k the wavelength, and k times as fast. So r and i of a deep survey stand in for g and r of a
shallow one: rest-frame light that it sees of near objects, of which few have spectroscopic types.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from broker_classifier.light_curve import bands
from broker_classifier.selection import band_positions
from broker_classifier.training.alert_noise import AlertNoise, alert_error
from broker_classifier.training.homogenise import random_of
from broker_classifier.training.objects import LabelledObject
from broker_classifier.training.recipe_tables import Pretraining
from broker_classifier.training.visits import brightest

MIN_SNR = 4.0
MIN_POINTS = 3
TRIES = 6

Floats = NDArray[np.float64]


def brought_nearer(
    objects: Sequence[LabelledObject],
    near: Sequence[LabelledObject],
    how: Pretraining,
    noise: AlertNoise,
) -> list[LabelledObject]:
    """Bring those objects nearer that have bands for it and points well measured in them.

    Parameters
    ----------
    objects : sequence of LabelledObject
        Of the deeper survey; those without a redshift stay away.
    near : sequence of LabelledObject
        Of the other survey: an object gets the brightness of one of its class.
    how : Pretraining
    noise : AlertNoise
        Of the other survey, with its bands.
    """
    peaks = {label: _peaks(near, label) for label in {o.label for o in objects}}
    moved = (_moved(o, how, noise.bands) for o in objects)
    bright = (_as_bright(o, peaks[o.label], noise) for o in moved if o)
    return [o for o in bright if o]


def _peaks(near: Sequence[LabelledObject], label: str) -> Floats:
    found = [brightest(o) for o in near if o.label == label]
    return np.array([peak for peak in found if peak > 0])


def _moved(
    labelled: LabelledObject, how: Pretraining, band_letters: Sequence[str]
) -> LabelledObject | None:
    """Give an object the bands and the pace of a nearer one."""
    low, high = how.redshifts
    for letters, factor in how.stand_ins.items():
        if low <= (1 + labelled.redshift) / factor - 1 <= high:
            position = band_positions(letters)[labelled.band]
            kept = position >= 0
            return replace(
                labelled,
                mjd=labelled.mjd[0] + (labelled.mjd[kept] - labelled.mjd[0]) / factor,
                flux=labelled.flux[kept],
                flux_err=labelled.flux_err[kept],
                band=bands(band_letters)[position[kept]].astype(np.int64),
            )
    return None


def _as_bright(labelled: LabelledObject, peaks: Floats, noise: AlertNoise) -> LabelledObject | None:
    """Make an object as bright as one of `peaks` (nJy).

    The first of some peaks drawn at which alerts have larger errors, else the faintest of them.
    """
    flux, err = labelled.flux, labelled.flux_err
    good = flux > MIN_SNR * err
    if good.sum() < MIN_POINTS or not len(peaks):
        return None
    factors = random_of(labelled.object_id, "nearer").choice(peaks, TRIES) / flux[good].max()
    position = band_positions(noise.bands)[labelled.band[good]]
    typical = np.full(len(position), 0.5)
    quoted = [alert_error(f * flux[good], position, typical, noise) for f in factors]
    noisiness = np.median(factors[:, None] * err[good] / np.array(quoted), axis=1)
    allowed = factors[noisiness < 1]
    factor = allowed[0] if len(allowed) else factors.min()
    return replace(labelled, flux=factor * flux, flux_err=factor * err)
