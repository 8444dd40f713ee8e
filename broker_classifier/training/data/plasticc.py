"""The official PLAsTiCC files, training and unblinded test set, as labelled light curves.

    metadata       object_id, true_target or target
    light curves   object_id, mjd, passband (0-5: ugrizy), flux, flux_err (AB zero point 27.5)

Which file is which is told by its header, so Kaggle's and Zenodo's names both do, also compressed
(.csv.gz). The test set has 3.5 million objects in 20 GB: files are read in pieces, and only a
sample of each class is kept, chosen by a hash of the object's id. So memory is bounded, and the
sample is the same whatever the order of files and rows.
"""

import heapq
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from broker_classifier.errors import DataError
from broker_classifier.light_curve import BANDS
from broker_classifier.light_curve.photometry import SNANA_FLUX_UNIT_NJY
from broker_classifier.training.data.labelled_objects import LabelledObject

CLASS_OF_TARGET = {
    90: "SNIa",
    67: "SNIa-91bg",
    52: "SNIax",
    42: "SNII",
    62: "SNIbc",
    95: "SLSN-I",
    15: "TDE",
    64: "KN",
    88: "AGN",
}
POINT_COLUMNS = ("object_id", "mjd", "passband", "flux", "flux_err")
TARGET_COLUMNS = ("true_target", "target")
ROWS_AT_A_TIME = 500_000


def is_plasticc(folder: str | Path) -> bool:
    """Tell whether a folder has files of PLAsTiCC."""
    return bool(_light_curve_files(Path(folder)))


def read_plasticc(
    folder: str | Path, per_class: int, seed: int = 0, rows_at_a_time: int = ROWS_AT_A_TIME
) -> list[LabelledObject]:
    """Read up to `per_class` objects of each of the poster's nine classes, ordered by id.

    Parameters
    ----------
    folder : path
        Holds metadata and light curves, each in any number of files; fluxes become nJy.
    per_class : int
        Bounds the memory: a light curve has some 100 to 350 points of 28 bytes.
    seed : int
        Other seeds choose other objects.
    rows_at_a_time : int

    Raises
    ------
    DataError
        A file or column is missing, or a chosen object has no light curve.
    """
    folder = Path(folder)
    labels = sampled_labels(_metadata_files(folder), per_class, seed, rows_at_a_time)
    points = _points_of(_light_curve_files(folder), list(labels), rows_at_a_time)
    missing = set(labels) - set(points)
    if missing:
        some = ", ".join(map(str, sorted(missing)[:3]))
        msg = (
            f"{folder} has no light curve of {len(missing)} objects of its metadata ({some}, ...): "
            "are all its files there?"
        )
        raise DataError(msg)
    return [_labelled_object(name, labels[name], points[name]) for name in sorted(labels)]


def sampled_labels(
    metadata: Sequence[Path], per_class: int, seed: int, rows_at_a_time: int = ROWS_AT_A_TIME
) -> dict[int, str]:
    """Choose from each class the objects with the smallest hashed ids; class name by id."""
    kept: dict[str, list[tuple[int, int]]] = {name: [] for name in CLASS_OF_TARGET.values()}
    for path in metadata:
        target = next(name for name in TARGET_COLUMNS if name in _header(path))
        for table in _pieces(path, ("object_id", target), rows_at_a_time):
            wanted = table[table[target].isin(list(CLASS_OF_TARGET))]
            ids = wanted["object_id"].to_numpy(np.int64)
            ranked = zip(ids, wanted[target], _ranks(ids, seed), strict=True)
            for object_id, code, rank in ranked:
                heap = kept[CLASS_OF_TARGET[int(code)]]
                heapq.heappush(heap, (-int(rank), int(object_id)))
                if len(heap) > per_class:
                    heapq.heappop(heap)
    return {object_id: name for name, heap in kept.items() for _, object_id in heap}


def _ranks(ids: np.ndarray[tuple[int], np.dtype[np.int64]], seed: int) -> Iterable[np.uint64]:
    keyed = np.char.add(ids.astype(str), f"/{seed}").astype(object)
    ranks: Iterable[np.uint64] = pd.util.hash_array(keyed, categorize=False)
    return ranks


def _points_of(
    light_curves: Sequence[Path], ids: Sequence[int], rows_at_a_time: int
) -> dict[int, pd.DataFrame]:
    """Collect the points of some objects; an object's rows may stand anywhere in the files."""
    pieces = [
        piece[piece["object_id"].isin(ids)]
        for path in light_curves
        for piece in _pieces(path, POINT_COLUMNS, rows_at_a_time)
    ]
    table = pd.concat(pieces, ignore_index=True)
    usable = np.isfinite(table["flux"]) & (table["flux_err"] > 0) & np.isfinite(table["mjd"])
    usable &= table["passband"].between(0, len(BANDS) - 1)
    table = table[usable].sort_values(["object_id", "mjd", "passband"])
    return {int(name): rows for name, rows in table.groupby("object_id", sort=False)}


def _labelled_object(object_id: int, label: str, points: pd.DataFrame) -> LabelledObject:
    return LabelledObject(
        object_id=str(object_id),
        canonical_id=str(object_id),
        label=label,
        source="",
        is_preferred=True,
        mjd=points["mjd"].to_numpy(np.float64),
        flux=points["flux"].to_numpy(np.float64) * SNANA_FLUX_UNIT_NJY,
        flux_err=points["flux_err"].to_numpy(np.float64) * SNANA_FLUX_UNIT_NJY,
        band=points["passband"].to_numpy(np.int64),
    )


def _metadata_files(folder: Path) -> list[Path]:
    files = [path for path in _tables(folder) if _is_metadata(_header(path))]
    if not files:
        msg = f"{folder} has no metadata of PLAsTiCC: a CSV file with object_id and target"
        raise DataError(msg)
    return files


def _light_curve_files(folder: Path) -> list[Path]:
    return [path for path in _tables(folder) if set(POINT_COLUMNS) <= set(_header(path))]


def _is_metadata(header: Sequence[str]) -> bool:
    return "object_id" in header and any(name in header for name in TARGET_COLUMNS)


def _tables(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob("*.csv*") if path.is_file())


def _header(path: Path) -> list[str]:
    try:
        return list(pd.read_csv(path, nrows=0).columns)
    except (OSError, EOFError, ValueError) as error:
        raise _unreadable(path, error) from error


def _pieces(path: Path, columns: Sequence[str], rows_at_a_time: int) -> Iterator[pd.DataFrame]:
    try:
        with pd.read_csv(path, usecols=list(columns), chunksize=rows_at_a_time) as pieces:
            yield from pieces
    except (OSError, EOFError, ValueError) as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: Exception) -> DataError:
    msg = f"{path} cannot be read ({error}): give the folder of PLAsTiCC's CSV files"
    return DataError(msg)
