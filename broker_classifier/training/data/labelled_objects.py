"""Reading labelled light curves: folders with `objects.csv` and `photometry.parquet`.

    objects.csv          object_id, label; canonical_id, source_repo, preferred, raw_type
    photometry.parquet   object_id, mjd, band, flux_njy, flux_err_njy; is_upper_limit, forced

Columns after the semicolon may be absent; an object's source is then the name of its folder. Fluxes
are AB nJy, times MJD.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from broker_classifier.errors import DataError
from broker_classifier.light_curve import BANDS
from broker_classifier.training.data.spectroscopic_types import refined_label

OBJECT_COLUMNS = ("object_id", "label")
POINT_COLUMNS = ("object_id", "mjd", "band", "flux_njy", "flux_err_njy")
DataFolders = str | Path | Sequence[str | Path]


class Limits(NamedTuple):
    """Visits that found nothing: MJD, noise of the sky (1 sigma, nJy), index into `BANDS`; (n,)."""

    mjd: NDArray[np.float64]
    depth: NDArray[np.float64]
    band: NDArray[np.int64]

    def of_band(self, band: int) -> "Limits":
        """Keep those in one band."""
        in_band = self.band == band
        return Limits(self.mjd[in_band], self.depth[in_band], self.band[in_band])


NO_LIMITS = Limits(np.empty(0), np.empty(0), np.empty(0, dtype=np.int64))


@dataclass(frozen=True, eq=False)
class LabelledObject:
    """One view of one object: its label and measured fluxes, sorted by time.

    Attributes
    ----------
    object_id, canonical_id : str
        Views of one object share the canonical id.
    source : str
        Where the view comes from.
    is_preferred : bool
        Whether evaluations use this view of its object.
    mjd, flux, flux_err : float array, shape (n,)
        Days; nJy; nJy, positive.
    band : int array, shape (n,)
        Indices into `BANDS`.
    raw_type : str
        The spectroscopic type as its source spells it; "" if unknown.
    is_forced : bool or None
        Whether any point is forced photometry; None if the set does not tell.
    names_source : bool
        Whether the set names the source; else it is the folder's name.
    limits : Limits
        Visits of the same survey that found nothing.
    """

    object_id: str
    canonical_id: str
    label: str
    source: str
    is_preferred: bool
    mjd: NDArray[np.float64]
    flux: NDArray[np.float64]
    flux_err: NDArray[np.float64]
    band: NDArray[np.int64]
    raw_type: str = ""
    is_forced: bool | None = None
    names_source: bool = True
    limits: Limits = NO_LIMITS

    def at(self, index: NDArray[np.int64]) -> Self:
        """Keep the points at these positions, ascending."""
        columns = {name: getattr(self, name)[index] for name in ("mjd", "flux", "flux_err", "band")}
        return replace(self, **columns)


def read_objects(data: DataFolders, classes: Sequence[str]) -> list[LabelledObject]:
    """Read the objects of these classes, folder after folder in the files' order; ignore others.

    The class SNIIn has the objects labelled SNII whose spectroscopic type is IIn.

    Raises
    ------
    DataError
        A file or column is missing, a folder has no object of these classes, or two folders have
        an object of the same id.
    """
    objects = [o for folder in folders_of(data) for o in _read_folder(folder, classes)]
    ids = Counter(o.object_id for o in objects)
    if repeated := [name for name, n in ids.items() if n > 1]:
        msg = f"{len(repeated)} objects occur twice, {repeated[0]} first: name each object once"
        raise DataError(msg)
    return objects


def folders_of(data: DataFolders) -> list[Path]:
    """List the folders of a data set."""
    return [Path(data)] if isinstance(data, str | Path) else [Path(folder) for folder in data]


def name_of(data: DataFolders) -> str:
    """Name a data set by its folders."""
    return ", ".join(folder.resolve().name for folder in folders_of(data))


def _read_folder(folder: Path, classes: Sequence[str]) -> list[LabelledObject]:
    table = _refined(_objects_table(folder / "objects.csv"), classes)
    table = table[table["label"].isin(list(classes))]
    if table.empty:
        msg = f"{folder / 'objects.csv'} has no object of {', '.join(classes)}: give another folder"
        raise DataError(msg)
    points, limits = _points_by_object(folder / "photometry.parquet")
    return [_labelled_object(row, points, limits) for row in table.itertuples()]


def labels_left_out(data: DataFolders, classes: Sequence[str]) -> dict[str, int]:
    """Count the objects whose label is none of these classes, by label; "" where there is none."""
    tables = [_refined(_objects_table(f / "objects.csv"), classes) for f in folders_of(data)]
    labels = pd.concat([table["label"] for table in tables]).fillna("").astype(str)
    counts = labels[~labels.isin(list(classes))].value_counts()
    return {str(label): int(n) for label, n in sorted(counts.items())}


def read_labels(data: DataFolders, classes: Sequence[str]) -> dict[str, str]:
    """Read the label of each object of these classes by its canonical id, without its points.

    Of several views the one of `preferred_objects` counts.
    """
    tables = [_refined(_objects_table(f / "objects.csv"), classes) for f in folders_of(data)]
    table = pd.concat(tables)
    table = table[table["label"].isin(list(classes))]
    ordered = table.sort_values("preferred", key=lambda column: column != "True", kind="stable")
    first = ordered.drop_duplicates("canonical_id")
    return dict(zip(first["canonical_id"], first["label"], strict=True))


def preferred_objects(objects: Sequence[LabelledObject]) -> list[LabelledObject]:
    """Keep one view per object: the preferred one, or the first where none is marked."""
    chosen: dict[str, LabelledObject] = {}
    for labelled in objects:
        before = chosen.get(labelled.canonical_id)
        if before is None or (labelled.is_preferred and not before.is_preferred):
            chosen[labelled.canonical_id] = labelled
    return list(chosen.values())


def _objects_table(path: Path) -> pd.DataFrame:
    try:
        table = pd.read_csv(path, dtype={"object_id": str, "canonical_id": str})
    except (OSError, ValueError) as error:
        raise _unreadable(path, error) from error
    _require(path, table, OBJECT_COLUMNS)
    folder_name = path.resolve().parent.name
    table["names_source"] = table["source_repo"].notna() if "source_repo" in table else False
    defaults = (("source_repo", folder_name), ("preferred", "False"), ("raw_type", ""))
    for column, default in defaults:
        given = table[column] if column in table else pd.Series(default, index=table.index)
        table[column] = given.fillna(default).astype(str)
    canonical = table["canonical_id"] if "canonical_id" in table else table["object_id"]
    table["canonical_id"] = canonical.fillna(table["object_id"])
    return table


def _refined(table: pd.DataFrame, classes: Sequence[str]) -> pd.DataFrame:
    """Give each object the label that it has among these classes."""
    labels = zip(table["label"].fillna("").astype(str), table["raw_type"], strict=True)
    return table.assign(label=[refined_label(label, of_type, classes) for label, of_type in labels])


def _points_by_object(path: Path) -> tuple[dict[str, pd.DataFrame], dict[str, pd.DataFrame]]:
    """Read the measured points and the upper limits of every object that has some."""
    try:
        table = pd.read_parquet(path)
    except (OSError, ValueError) as error:
        raise _unreadable(path, error) from error
    _require(path, table, POINT_COLUMNS)
    usable = (table["flux_err_njy"] > 0) & np.isfinite(table["mjd"])
    table = table[usable & table["band"].isin(list(BANDS))]
    is_limit = np.zeros(len(table), dtype=bool)
    if "is_upper_limit" in table:
        is_limit = table["is_upper_limit"].to_numpy(dtype=bool)
    is_measured = np.isfinite(table["flux_njy"]).to_numpy() & ~is_limit
    table = table[[*POINT_COLUMNS, *({"forced"} & set(table))]]
    table = table.assign(
        object_id=table["object_id"].astype(str),
        band=table["band"].astype(str).map(BANDS.index).astype(np.int64),
    )
    kinds = (table[is_measured], table[is_limit])
    points, limits = (dict(_groups(k.sort_values(["object_id", "mjd", "band"]))) for k in kinds)
    return points, limits


def _groups(table: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    names, starts = np.unique(table["object_id"].to_numpy(dtype=str), return_index=True)
    stops = np.append(starts, len(table))[1:]
    for name, start, stop in zip(names, starts, stops, strict=True):
        yield str(name), table.iloc[start:stop]


def _labelled_object(
    row: Any, points: dict[str, pd.DataFrame], limits: dict[str, pd.DataFrame]
) -> LabelledObject:
    table = points.get(row.object_id)
    columns = {} if table is None else {name: table[name].to_numpy() for name in POINT_COLUMNS[1:]}
    empty = np.empty(0)
    return LabelledObject(
        object_id=row.object_id,
        canonical_id=row.canonical_id,
        label=row.label,
        source=row.source_repo,
        is_preferred=row.preferred == "True",
        mjd=columns.get("mjd", empty).astype(np.float64),
        flux=columns.get("flux_njy", empty).astype(np.float64),
        flux_err=columns.get("flux_err_njy", empty).astype(np.float64),
        band=columns.get("band", empty).astype(np.int64),
        raw_type=row.raw_type,
        names_source=bool(row.names_source),
        limits=_limits(limits.get(row.object_id)),
        is_forced=None if table is None or "forced" not in table else bool(table["forced"].any()),
    )


def _limits(table: pd.DataFrame | None) -> Limits:
    if table is None:
        return NO_LIMITS
    depth = table["flux_err_njy"].to_numpy(np.float64)
    return Limits(table["mjd"].to_numpy(np.float64), depth, table["band"].to_numpy(np.int64))


def _require(path: Path, table: pd.DataFrame, columns: Sequence[str]) -> None:
    missing = [name for name in columns if name not in table]
    if missing:
        msg = f"{path} lacks the column {', '.join(missing)}: it needs {', '.join(columns)}"
        raise DataError(msg)


def _unreadable(path: Path, error: Exception) -> DataError:
    msg = f"{path} cannot be read ({error}): give a folder with objects.csv and photometry.parquet"
    return DataError(msg)
