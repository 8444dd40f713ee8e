"""What LSST alerts and simulations of them share: diaSource, its history, forced photometry.

Fluxes are difference fluxes of points that may be withdrawn, times are in TAI. An alert without a
diaObject, or with an empty one, is about a known solar-system object and has no light curve to
classify.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from broker_classifier.errors import MessageError, SchemaError
from broker_classifier.light_curve import BANDS, EMPTY, Kind, LightCurve
from broker_classifier.light_curve.photometry import mjd_from_tai
from broker_classifier.surveys.alert import SOLAR_SYSTEM, Alert
from broker_classifier.surveys.avro.layout import Cell, Column, Layout, Projected, Table, short_text
from broker_classifier.surveys.batch_curves import NO_BAND, BatchPoints, light_curves
from broker_classifier.surveys.source.context import Context, or_none
from broker_classifier.surveys.source.diasource_context import SAID, diasource_contexts
from broker_classifier.surveys.source.history import histories

# Columns of the tables, and of the head.
MJD, FLUX, FLUX_ERR, BAND, WITHDRAWN = range(5)
SOURCE_ID, OBJECT_ID, SOURCE_OBJECT_ID, HAS_OBJECT, SS_OBJECT_ID, DESIGNATION = range(6)
FIRST_SAID = 6
NEW, PREVIOUS, FORCED = range(3)
_BAND_CODES = {short_text(name): BANDS.index(name.lower()) for name in (*BANDS, "Y")}


@dataclass(frozen=True)
class Spelling:
    """What one survey calls the fields, and the unit of its fluxes.

    Attributes
    ----------
    survey : str
    mjd, flux, flux_err, band, dec : str
    njy_per_flux : float
        Flux in nJy of one unit.
    """

    survey: str
    mjd: str
    flux: str
    flux_err: str
    band: str
    dec: str
    njy_per_flux: float = 1.0


def layout(names: Spelling) -> Layout:
    """Say what is wanted of a record that is spelled so."""
    points = (
        Column(names.mjd),
        Column(names.flux),
        Column(names.flux_err),
        Column(names.band, Cell.SHORT),
        Column("timeWithdrawnMjdTai"),
    )
    head = (
        Column("diaSource.diaSourceId", Cell.INTEGER),
        Column("diaObject.diaObjectId", Cell.INTEGER),
        Column("diaSource.diaObjectId", Cell.INTEGER),
        Column("diaObject", Cell.PRESENT),
        Column("diaSource.ssObjectId", Cell.INTEGER),
        Column("ssSource.designation", Cell.TEXT),
        *(Column(path.format(dec=names.dec)) for path in SAID.values()),
    )
    tables = (
        Table("diaSource", points, is_list=False),
        Table("prvDiaSources", points),
        Table("prvDiaForcedSources", points),
    )
    return Layout(names.survey, head, tables)


def alerts(
    projected: Projected, names: Spelling, *, head_only: bool = False
) -> list[Alert | MessageError]:
    """Make the alert of every record in a batch, from `diaSource` alone if no more was read."""
    points = _points(projected, names)
    n, (owner, table) = len(projected.head), projected.owner
    new, usable = table == NEW, points.is_usable
    mjd, has_source, is_measured = np.full(n, np.nan), np.zeros(n, bool), np.zeros(n, bool)
    mjd[owner[new]], has_source[owner[new]] = points.mjd[new], True
    is_measured[owner[new & usable]] = True
    has_object = projected.head_numbers(HAS_OBJECT) == 1.0
    if head_only:
        has_object = projected.head[:, SOURCE_OBJECT_ID] != 0
    batch, said = light_curves(points, n), dict(zip(SAID, _said(projected), strict=True))
    past = histories(batch.points, batch.starts, mjd)
    ids = projected.head[:, [SOURCE_ID, OBJECT_ID, SOURCE_OBJECT_ID, SS_OBJECT_ID]].T
    columns: tuple[NDArray[Any], ...] = (
        *(has_source, mjd, is_measured, has_object),
        *ids,
    )
    rows = zip(
        batch.curves,
        *(column.tolist() for column in columns),
        *or_none([said["ra"], said["dec"]]),
        diasource_contexts(said, ids[-1], projected.texts[DESIGNATION], past),
        strict=True,
    )
    return [projected.errors.get(m) or _alert(names.survey, *row) for m, row in enumerate(rows)]


def _alert(
    survey: str,
    curve: LightCurve,
    has_source: bool,
    mjd: float,
    is_measured: bool,
    has_object: bool,
    source_id: int,
    object_id: int,
    source_object_id: int,
    ss_object_id: int,
    ra: float | None,
    dec: float | None,
    context: Context,
) -> Alert | MessageError:
    if not (has_source and source_id and mjd == mjd):
        return _refusal(has_source, source_id)
    object_id = object_id or source_object_id
    if not has_object or (ss_object_id and not object_id):
        name, reason = f"solar-system-{ss_object_id or source_id}", SOLAR_SYSTEM
        return Alert(survey, name, source_id, mjd, EMPTY, ra, dec, reason, context)
    if not object_id:
        return SchemaError("the alert has no usable `diaObject.diaObjectId`")
    decline, name = None if is_measured else "no_photometry", str(object_id)
    return Alert(survey, name, source_id, mjd, curve, ra, dec, decline, context)


def _refusal(has_source: bool, source_id: int) -> SchemaError:
    if not has_source:
        return SchemaError("the record has no `diaSource`; it is no LSST alert")
    missing = "its time" if source_id else "diaSourceId"
    return SchemaError(f"the alert has no usable `diaSource`: {missing} is missing")


def _said(projected: Projected) -> NDArray[np.float64]:
    cells = np.ascontiguousarray(projected.head[:, FIRST_SAID:].T)
    return _finite(cells.view(np.float64))


def _finite(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(np.isfinite(values), values, np.nan)


def _points(projected: Projected, names: Spelling) -> BatchPoints:
    owner, table = projected.owner
    codes = projected.columns[BAND]
    band = np.full(len(codes), NO_BAND, dtype=np.uint8)
    for code, index in _BAND_CODES.items():
        band[codes == code] = index
    kind = np.where(table == FORCED, Kind.FORCED, Kind.DETECTION).astype(np.uint8)
    with np.errstate(over="ignore"):
        flux, flux_err = (
            projected.numbers(column) * names.njy_per_flux for column in (FLUX, FLUX_ERR)
        )
    withdrawn_at = projected.numbers(WITHDRAWN)
    is_withdrawn = np.isfinite(withdrawn_at) & (withdrawn_at > 0.0)
    mjd = mjd_from_tai(_finite(projected.numbers(MJD)))
    return BatchPoints(owner, mjd, flux, flux_err, band, kind, is_withdrawn)
