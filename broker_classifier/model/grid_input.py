"""Light curve to model input as on the poster: every band on a grid of its own time span.

The span from the first to the last known point becomes the cells 0 ... L - 1, so the grid of a
partial light curve is another one than the beginning of the whole one's: it is built anew with
every point, and knows nothing of what comes. Channels, with B bands, in this order:

    flux  B  linear between the band's points, constant before the first and after the last
    void  B  distance to the band's nearest real point, in cells (fractions of them too)
    age   1  ln(1 + days from the first to the last known point), if wanted: the grid hides it

A band without a point has flux 0 and a constant void.
"""

from collections.abc import Sequence
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from broker_classifier.light_curve import BAND_MASK, CurveBatch
from broker_classifier.light_curve.photometry import NJY_PER_MICROJY, SNANA_FLUX_UNIT_NJY
from broker_classifier.light_curve.selection import band_positions

Floats = NDArray[np.float64]


class Grid(BaseModel):
    """Constants of the grid, as they stand in `bundle.json`; the poster's are the defaults.

    Attributes
    ----------
    length : int
        Cells, L.
    flux_unit_njy : float
        The flux that counts as 1; SNANA's, as in PLAsTiCC's files.
    scaling : str
        "linear" for raw fluxes, "arcsinh" to compress them.
    missing_void : float
        Void of a band without a point.
    has_age : bool
        Whether there is the channel `age`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    length: int = Field(128, gt=1)
    flux_unit_njy: float = Field(round(SNANA_FLUX_UNIT_NJY, 6), gt=0)
    scaling: Literal["linear", "arcsinh"] = "linear"
    missing_void: float = Field(500.0, ge=0)
    has_age: bool = False

    kind: ClassVar[str] = "grid"
    has_row_per_point: ClassVar[bool] = False

    def channel_names(self, band_letters: Sequence[str]) -> tuple[str, ...]:
        """Name the channels in their order.

        >>> Grid(has_age=True).channel_names("gr")
        ('flux_g', 'flux_r', 'void_g', 'void_r', 'age')
        """
        per_band = [f"{name}_{band}" for name in ("flux", "void") for band in band_letters]
        return (*per_band, *(["age"] if self.has_age else []))

    def sizes(self) -> dict[str, int]:
        """Give the number of cells, which some networks are made for."""
        return {"length": self.length}

    def build(self, batch: CurveBatch, band_letters: Sequence[str]) -> NDArray[np.float32]:
        """Resample n light curves, none of them empty.

        Parameters
        ----------
        batch : CurveBatch
            Used points only, in the bundle's bands.
        band_letters : sequence of str
            The bundle's bands, B of them.

        Returns
        -------
        float32 array, shape (n, length, n_channels)
        """
        n_bands, n_channels = len(band_letters), len(self.channel_names(band_letters))
        rows = np.empty((len(batch), self.length, n_channels), dtype=np.float32)
        bands = band_positions(band_letters)[batch.points["flags"] & np.uint8(BAND_MASK)]
        fluxes = batch.points["psf_flux"].astype(np.float64) / self.flux_unit_njy
        fluxes = np.arcsinh(fluxes) if self.scaling == "arcsinh" else fluxes
        columns = map(batch.split, (batch.points["mjd"], bands, fluxes))
        for cells, mjd, band, flux in zip(rows, *columns, strict=True):
            position = grid_positions(mjd, self.length)
            for b in range(n_bands):
                is_band = band == b
                _fill(cells, b, n_bands, position[is_band], flux[is_band], self)
            if self.has_age:
                cells[:, -1] = np.log1p(mjd[-1] - mjd[0])
        return rows

    def row_mjd(self, mjd: Floats) -> Floats:
        """Give the time of each cell."""
        return np.linspace(mjd[0], mjd[-1], self.length)

    def flux_formula(self) -> str:
        """Say what the channel `flux` is.

        >>> Grid(scaling="arcsinh").flux_formula()
        'arcsinh(f / 0.0363 µJy)'
        """
        flux = f"f / {self.flux_unit_njy / NJY_PER_MICROJY:.3g} µJy"
        return f"arcsinh({flux})" if self.scaling == "arcsinh" else flux


def grid_positions(mjd: Floats, length: int) -> Floats:
    """Place the times (MJD, ascending) of one light curve on its grid, from 0 to length - 1.

    >>> grid_positions(np.array([100.0, 101.0, 104.0]), 128).tolist()
    [0.0, 31.75, 127.0]
    >>> grid_positions(np.array([100.0]), 128).tolist()
    [0.0]
    """
    span = mjd[-1] - mjd[0]
    if span == 0.0:
        return np.zeros(len(mjd))
    return np.asarray((length - 1) * (mjd - mjd[0]) / span)


def _fill(
    cells: NDArray[np.float32], b: int, n_bands: int, position: Floats, flux: Floats, grid: Grid
) -> None:
    if not len(position):
        cells[:, b], cells[:, n_bands + b] = 0.0, grid.missing_void
        return
    at = np.arange(grid.length, dtype=np.float64)
    cells[:, b] = np.interp(at, position, flux)
    after = np.searchsorted(position, at)
    before = position[np.maximum(after - 1, 0)]
    behind = position[np.minimum(after, len(position) - 1)]
    cells[:, n_bands + b] = np.minimum(np.abs(at - before), np.abs(behind - at))
