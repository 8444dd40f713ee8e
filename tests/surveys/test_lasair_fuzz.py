"""Whatever JSON comes, it becomes an alert that the street can carry, or an error of its own."""

import json

from hypothesis import given
from hypothesis import strategies as st

from broker_classifier.errors import MessageError
from broker_classifier.surveys.lasair import decode_batch
from tests.surveys.lasair_rows import LSST_ID, candidate, lite, source

KEYS = [
    *("objectId", "diaObjectId", "alert", "diaObject", "diaSource", "diaSourcesList", "candidate"),
    *("diaForcedSourcesList", "candidates", "prv_candidates", "fp_hists", "prvDiaSources", "UTC"),
    *("candid", "jd", "fid", "magpsf", "sigmapsf", "isdiffpos", "diffmaglim", "forcedphot", "band"),
    *("psfFlux", "psfFluxErr", "midpointMjdTai", "diaSourceId", "ssObjectId", "jdmax", "magzpsci"),
    *("timeWithdrawnMjdTai", "lastDiaSourceMjdTai", "ra", "decl", "forcediffimflux"),
]
ODD = [LSST_ID, -1, 2**63, 2**200, 1e308, -1e308, 60000.5, 2459396.9, float("nan"), float("-inf")]
TEXT = [
    "ZTF21abiuvdk",
    "ZTF\ud800",
    "\ud800",
    "NaN",
    "1e999",
    "7",
    "g",
    "t",
    "2026-01-01 00:00:00",
    "9999-99-99",
    "²",
]
scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from([*ODD, *TEXT])
trees = st.recursive(
    scalars | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner),
    max_leaves=20,
)
ROWS = [
    {"objectId": LSST_ID, "alert": lite(source(60000.0), source(60001.0)), "UTC": "2026-01-01"},
    {
        "objectId": "ZTF21abiuvdk",
        "candidates": [candidate(2459396.9, 5), candidate(2459390.9, None)],
    },
    {"objectId": "ZTF21abiuvdk", "candidate": candidate(2459396.9, 5), "prv_candidates": None},
    {"diaSource": source(60000.0, diaSourceId=3, diaObjectId=LSST_ID), "prvDiaSources": []},
]


class Api:
    def __init__(self, answer):
        self.answer = answer

    def fetch(self, object_id, state):
        return self.answer if isinstance(self.answer, dict) else None


def changed(tree, path, value):
    """Put a value somewhere into a tree, at the place that the numbers of a path lead to."""
    if not path or not isinstance(tree, dict | list) or not tree:
        return value
    if isinstance(tree, list):
        at = path[0] % len(tree)
        return [*tree[:at], changed(tree[at], path[1:], value), *tree[at + 1 :]]
    key = list(tree)[path[0] % len(tree)]
    return tree | {key: changed(tree[key], path[1:], value)}


def check(tree, answer=None):
    api = Api(answer)
    [alert] = decode_batch([json.dumps(tree).encode()], {"lsst": api, "ztf": api})
    if not isinstance(alert, MessageError):
        assert alert.survey in ("lsst", "ztf")
        assert -(2**63) <= alert.alert_id < 2**63
        assert 0 < alert.mjd < 1e6
        assert alert.object_id.encode()


@given(trees, trees)
def test_any_json_becomes_an_alert_or_an_error(tree, answer):
    check(tree, answer)


@given(st.sampled_from(ROWS), st.lists(st.integers(0, 9), max_size=5), trees)
def test_a_row_with_anything_anywhere_becomes_an_alert_or_an_error(good, path, value):
    check(changed(good, path, value), changed(good, path, value))


@given(st.binary(max_size=50))
def test_any_bytes_become_an_alert_or_an_error(message):
    [alert] = decode_batch([message])
    assert isinstance(alert, MessageError)
