"""Everything the index has of one object, for the page that goes back in time."""

import sqlite3
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from broker_classifier.web.index.point_views import USED, PointView, unpack_view
from broker_classifier.web.index.published import BANDS, KINDS, POINTS, unpacked

FIRST_LETTER = ord("a")
MILLION = 1e6


def object_history(
    connection: sqlite3.Connection, survey: str, object_id: str
) -> dict[str, Any] | None:
    """Return an object's points and answers under every bundle; None if it is not there.

    Points are columns. Of each answer `reasons` has a letter a point ("a" is "used", the others
    stand for `bundles[].reasons`), and `attention_millionths` the weight of each point used, as an
    integer: half as many characters as a fraction. `index` is there where an answer saw other
    points than the first ones. `earlier` are messages of the same id whose place it took.
    """
    rows = connection.execute(
        "SELECT key, bundle FROM objects WHERE object_id = ? AND survey = ? ORDER BY seq DESC",
        (object_id, survey),
    ).fetchall()
    if not rows:
        return None
    bundles = [_of_bundle(connection, key, name) for key, name in rows]
    newest = bundles[0]["answers"][-1]
    return {
        "survey": survey,
        "object_id": object_id,
        "ra": newest["message"].get("ra"),
        "dec": newest["message"].get("dec"),
        "bundles": bundles,
    }


def _of_bundle(connection: sqlite3.Connection, key: int, name: str) -> dict[str, Any]:
    points_blob, reasons = connection.execute(
        "SELECT points, reasons FROM curves WHERE key = ?", (key,)
    ).fetchone()
    answers: list[dict[str, Any]] = []
    earlier: dict[str, list[dict[str, Any]]] = {}
    for answer_id, seq, stands, message, view in connection.execute(
        "SELECT id, seq, stands, message, view FROM answers WHERE key = ? ORDER BY mjd, seq", (key,)
    ):
        content = unpacked(message)
        content["alert_id"] = str(content["alert_id"])  # JavaScript's numbers end at 2^53
        if stands:
            answers.append({"seq": seq, "message": content, **_view_json(unpack_view(view))})
        else:
            earlier.setdefault(answer_id, []).append({"seq": seq, "message": content})
    for answer in answers:
        answer["earlier"] = earlier.get(answer["message"]["id"], [])
    return {
        "name": name,
        "points": points_json(np.frombuffer(points_blob, POINTS)),
        "reasons": orjson.Fragment(reasons),
        "answers": answers,
    }


def points_json(points: NDArray[np.void]) -> dict[str, Any]:
    """Write points as columns; an upper limit's flux is null.

    >>> points_json(np.array([(59000.5, 5.0, 1.0, 1, 0)], POINTS))
    {'mjd': [59000.5], 'flux': [5.0], 'flux_err': [1.0], 'band': 'g', 'kind': ['detection']}
    """
    flux = [None if np.isnan(value) else value for value in points["psf_flux"].tolist()]
    return {
        "mjd": points["mjd"].tolist(),
        "flux": flux,
        "flux_err": points["psf_flux_err"].tolist(),
        "band": "".join(BANDS[code] for code in points["band"].tolist()),
        "kind": [KINDS[code] for code in points["kind"].tolist()],
    }


def _view_json(view: PointView) -> dict[str, Any]:
    used = view.attention[view.reason == USED]
    has_attention = len(used) and not np.isnan(used).any()
    content: dict[str, Any] = {
        "n_points": len(view.index),
        "reasons": (view.reason + FIRST_LETTER).astype(np.uint32).tobytes().decode("utf-32-le"),
        "attention_millionths": (used * MILLION).round().astype(int).tolist()
        if has_attention
        else None,
    }
    if not np.array_equal(view.index, np.arange(len(view.index))):
        content["index"] = view.index.tolist()
    return content
