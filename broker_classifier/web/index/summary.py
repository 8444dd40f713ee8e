"""What the list shows of an object, made anew of its answers whenever one of them comes."""

import sqlite3
from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from broker_classifier.streams.classification import NOT_CLASSIFIED
from broker_classifier.web.index.point_views import USED, PointView, unpack_view
from broker_classifier.web.index.published import BANDS, unpacked
from broker_classifier.web.index.sky import place

MOST_IN_SPARKLINE = 60
_COLUMNS = (
    *("key", "survey", "object_id", "bundle", "version", "top_class", "probability", "bits"),
    *("n_points", "n_answers", "n_changes", "bands", "first_mjd", "last_mjd"),
    *("ra", "dec", "x", "y", "z", "cell", "seen", "seq"),
)
_UPSERT = (
    f"INSERT OR REPLACE INTO objects ({', '.join(_COLUMNS)})"
    f" VALUES ({', '.join(':' + name for name in _COLUMNS)})"
)


def store_summary(
    connection: sqlite3.Connection,
    key: int,
    name: tuple[str, str, str],
    points: NDArray[np.void],
    seq: int,
    seen: float,
) -> None:
    """Write the rows of `objects` and `drawings`."""
    standing = connection.execute(
        "SELECT mjd, top_class, seq FROM answers WHERE key = ? AND stands ORDER BY mjd, seq", (key,)
    ).fetchall()
    newest = connection.execute(
        "SELECT message, view FROM answers WHERE key = ? AND seq = ?", (key, standing[-1][2])
    ).fetchone()
    message, view = unpacked(newest[0]), unpack_view(newest[1])
    runs = class_runs([top for _, top, _ in standing])
    object_id, survey, bundle = name
    row = {"key": key, "survey": survey, "object_id": object_id, "bundle": bundle}
    row |= {"n_answers": len(standing), "n_changes": n_changes(runs), "seen": seen, "seq": seq}
    row |= _of_message(message) | _of_points(points[view.index[view.reason == USED]], standing)
    connection.execute(_UPSERT, row)
    connection.execute(
        "INSERT OR REPLACE INTO drawings VALUES (?, ?, ?)",
        (key, sparkline(points, view), orjson.dumps(runs).decode()),
    )


def _of_message(message: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "version": message["model"]["version"],
        "top_class": message["class"],
        "probability": message["probability"],
        "bits": message.get("information_bits"),
        "n_points": message.get("n_points_used", 0),
        "last_mjd": message["mjd"],
    } | position(message.get("ra"), message.get("dec"))


def _of_points(used: NDArray[np.void], standing: Sequence[Any]) -> dict[str, Any]:
    first_mjd = float(used["mjd"].min()) if len(used) else standing[0][0]
    bands = "".join(BANDS[code] for code in np.unique(used["band"]))
    return {"first_mjd": first_mjd, "bands": bands}


def position(ra: float | None, dec: float | None) -> dict[str, Any]:
    """Return the columns of a position; all are None where it is not known."""
    if ra is None or dec is None:
        return dict.fromkeys(("ra", "dec", "x", "y", "z", "cell"))
    return {"ra": ra, "dec": dec, **place(ra, dec)._asdict()}


def class_runs(classes: list[str]) -> list[tuple[str, int]]:
    """Sum up a history of classes.

    >>> class_runs(["SNII", "SNIa", "SNIa"])
    [('SNII', 1), ('SNIa', 2)]
    """
    return [(name, len(list(run))) for name, run in groupby(classes)]


def n_changes(runs: list[tuple[str, int]]) -> int:
    """Count how often the class changed; an answer taken back is no class.

    >>> n_changes([("SNII", 1), ("NotClassified", 1), ("SNII", 2), ("SNIa", 9)])
    1
    """
    classes = [name for name, _ in groupby(name for name, _ in runs if name != NOT_CLASSIFIED)]
    return max(0, len(classes) - 1)


def sparkline(points: NDArray[np.void], view: PointView) -> bytes:
    """Write the used points for a drawing of 256 × 256: (time, flux, band), one byte each.

    Of very many points, the ones shown are evenly spaced in their order. The flux scale begins at
    0 or at the least flux below.
    """
    used = points[view.index[view.reason == USED]]
    used = used[np.isfinite(used["psf_flux"])]
    if len(used) > MOST_IN_SPARKLINE:
        used = used[np.linspace(0, len(used) - 1, MOST_IN_SPARKLINE).round().astype(int)]
    if not len(used):
        return b""
    rows = np.empty((len(used), 3), dtype=np.uint8)
    rows[:, 0] = _scaled(used["mjd"], used["mjd"].min(), used["mjd"].max())
    flux = used["psf_flux"]
    rows[:, 1] = _scaled(flux, min(0.0, flux.min()), max(0.0, flux.max()))
    rows[:, 2] = used["band"]
    return rows.tobytes()


def _scaled(values: NDArray[np.float64], low: float, high: float) -> NDArray[np.float64]:
    return np.rint((values - low) / ((high - low) or 1.0) * 255.0)
