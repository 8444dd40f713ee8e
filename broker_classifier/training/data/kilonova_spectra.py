"""Kilonova spectra and the broad-band light curves that they give at a redshift.

Spectral grids of Kasen et al. 2017 (Nature 551, 80), one file for each ejecta mass, velocity and
lanthanide fraction, and passbands as two-column text files:

    kasen2017/knova_d1_n10_m0.025_vk0.20_fd1.0_Xlan1e-4.0.npz   time_day, wave_A, log10_Llam_erg_s_A
    sncosmo/bandpasses/{ztf/P48_g.dat,lsst/total_g.dat,...}     wavelength, throughput
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from broker_classifier.errors import DataError

Floats = NDArray[np.float64]
PASSBANDS = {
    "ztf": {"g": "ztf/P48_g.dat", "r": "ztf/P48_R.dat", "i": "ztf/P48_I.dat"},
    "lsst": {band: f"lsst/total_{band}.dat" for band in "ugrizy"},
}
SPEED_OF_LIGHT_KM_S = 299792.458
HUBBLE_KM_S_MPC = 70.0
DECELERATION = -0.55
CM_PER_MPC = 3.0856776e24
NJY_PER_CGS = 1e32  # 1 nJy = 1e-32 erg/s/cm2/Hz
DARK = 1e-6  # nJy; far below what any survey sees
SLOPE_DAYS = 3.0  # the decline over so many last days goes on after the grid's end
_NAME = re.compile(
    r"m(?P<mass>[\d.]+)_vk(?P<velocity>[\d.]+)_.*Xlan(?P<lanthanides>1e-\d+)(?:\.0)?$"
)


@dataclass(frozen=True, eq=False)
class SpectralGrid:
    """The spectra of one kind of ejecta.

    Attributes
    ----------
    name : str
    mass, velocity, lanthanides : float
        Solar masses; units of c; mass fraction.
    days : float array, shape (T,)
        Since the merger, in the rest frame, from 0 on.
    wavelength : float array, shape (W,)
        Angstrom, rest frame.
    luminosity : float array, shape (T, W)
        erg/s/Angstrom.
    """

    name: str
    mass: float
    velocity: float
    lanthanides: float
    days: Floats
    wavelength: Floats
    luminosity: Floats


@dataclass(frozen=True, eq=False)
class Passband:
    """Throughput of a band at wavelengths (Angstrom), both of shape (W,)."""

    wavelength: Floats
    throughput: Floats


def read_grids(templates: Path) -> list[SpectralGrid]:
    """Read every grid of the folder `kasen2017`, sorted by name.

    Raises
    ------
    DataError
        There is none, or one cannot be read.
    """
    paths = sorted((templates / "kasen2017").glob("knova_*.npz"))
    if not paths:
        msg = f"{templates / 'kasen2017'} has no knova_*.npz: give the folder of the templates"
        raise DataError(msg)
    return [_read_grid(path) for path in paths]


def read_passbands(templates: Path, survey: str) -> dict[str, Passband]:
    """Read the passbands of a survey, by band letter.

    Raises
    ------
    DataError
        The survey is not known, or a file cannot be read.
    """
    if survey not in PASSBANDS:
        msg = f"There are no passbands of {survey!r}: use {' or '.join(PASSBANDS)}"
        raise DataError(msg)
    folder = templates / "sncosmo" / "bandpasses"
    return {band: _read_passband(folder / name) for band, name in PASSBANDS[survey].items()}


def _read_grid(path: Path) -> SpectralGrid:
    name = _NAME.search(path.stem)
    try:
        with np.load(path) as content:
            days, wavelength, log_luminosity = (
                content[key].astype(np.float64)
                for key in ("time_day", "wave_A", "log10_Llam_erg_s_A")
            )
    except (OSError, ValueError, KeyError) as error:
        msg = f"{path} cannot be read ({error}): restore it"
        raise DataError(msg) from error
    if name is None:
        msg = f"{path} does not name its mass, velocity and lanthanides: restore its name"
        raise DataError(msg)
    numbers = {key: float(text) for key, text in name.groupdict().items()}
    after = days >= 0
    luminosity = 10.0 ** log_luminosity[after]
    return SpectralGrid(path.stem, **numbers, days=days[after], wavelength=wavelength,
                        luminosity=luminosity)  # fmt: skip


def _read_passband(path: Path) -> Passband:
    try:
        table = np.loadtxt(path)
        is_nm = "[nm]" in path.read_text().partition("\n")[0]
    except (OSError, ValueError) as error:
        msg = f"{path} cannot be read ({error}): give a file of wavelength and throughput"
        raise DataError(msg) from error
    return Passband(table[:, 0] * (10.0 if is_nm else 1.0), table[:, 1])


def luminosity_distance(redshift: float) -> float:
    """Give the luminosity distance (Mpc) of a small redshift, to second order.

    >>> round(luminosity_distance(0.0098), 1)
    42.3
    """
    hubble = SPEED_OF_LIGHT_KM_S * redshift / HUBBLE_KM_S_MPC
    return hubble * (1 + (1 - DECELERATION) * redshift / 2)


def redshift_at(distance_mpc: float) -> float:
    """Invert `luminosity_distance`.

    >>> round(redshift_at(luminosity_distance(0.2)), 6)
    0.2
    """
    hubble = distance_mpc * HUBBLE_KM_S_MPC / SPEED_OF_LIGHT_KM_S
    return float((np.sqrt(1 + 2 * (1 - DECELERATION) * hubble) - 1) / (1 - DECELERATION))


def band_flux(grid: SpectralGrid, redshift: float, passbands: Mapping[str, Passband]) -> Floats:
    """Compute the AB fluxes (nJy) at the times of a grid, shape (T, B).

    Photons are counted: the mean flux density per frequency, weighted by throughput / frequency.
    """
    fluxes = [_mean_flux_density(grid, redshift, band) for band in passbands.values()]
    area = 4 * np.pi * (luminosity_distance(redshift) * CM_PER_MPC) ** 2
    return np.asarray(np.stack(fluxes, axis=1) * NJY_PER_CGS / area)


def _mean_flux_density(grid: SpectralGrid, redshift: float, band: Passband) -> Floats:
    """Mean luminosity per observed frequency (erg/s/Hz) within a band, shape (T,)."""
    here = band.wavelength
    rest = np.stack([np.interp(here / (1 + redshift), grid.wavelength, row)
                     for row in grid.luminosity]) / (1 + redshift)  # fmt: skip
    light_angstrom_s = SPEED_OF_LIGHT_KM_S * 1e13
    counted = np.trapezoid(rest * here * band.throughput, here, axis=1)
    return np.asarray(counted / (light_angstrom_s * np.trapezoid(band.throughput / here, here)))


def flux_at(days: Floats, flux: Floats, wanted: Floats) -> Floats:
    """Interpolate a band's flux in its logarithm; before the first of `days` it is 0.

    After the last day the decline of the last days goes on.

    Parameters
    ----------
    days, flux : float array, shape (T,)
    wanted : float array, shape (n,)
        Same time scale as `days`.
    """
    ln_flux = np.log(np.maximum(flux, DARK))
    first = int(np.searchsorted(days, days[-1] - SLOPE_DAYS))
    slope = min(0.0, float((ln_flux[-1] - ln_flux[first]) / (days[-1] - days[first])))
    late = slope * np.maximum(wanted - days[-1], 0.0)
    interpolated = np.exp(np.interp(wanted, days, ln_flux) + late)
    return np.where((wanted < days[0]) | (interpolated <= DARK), 0.0, interpolated)
