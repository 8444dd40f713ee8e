"""The index says what the topic said: points once, every answer as published, the right order."""

import json
import random
import sqlite3

import numpy as np
import pytest

from broker_classifier.errors import StoreUnavailableError
from broker_classifier.web.index.filters import FilterError, condition, window
from broker_classifier.web.index.history import object_history
from broker_classifier.web.index.prune import prune, used_bytes
from broker_classifier.web.index.published import published
from broker_classifier.web.index.query import list_objects, rows_since, sky_cells
from broker_classifier.web.index.store_answers import store_answers, stored_offsets
from broker_classifier.web.index.tables import open_for_reading, open_index
from tests.web.published_messages import encoded, history, message, points


@pytest.fixture
def index():
    connection = open_index(":memory:")
    yield connection
    connection.close()


def store(connection, *messages, offsets=None):
    return store_answers(connection, [published(encoded(sent)) for sent in messages], offsets)


def row(connection, **query):
    [only] = list_objects(connection, condition(query), window({}))["rows"]
    return only


def listed(connection, **query):
    content = list_objects(connection, condition(query), window(query))
    return [listing["object_id"] for listing in content["rows"]]


def answers_of(connection, object_id="ZTF26aaaaaaa"):
    [bundle] = object_history(connection, "ztf", object_id)["bundles"]
    return bundle


def light_curve_of(bundle, answer):
    """Put a message's light curve together again from what the index gives."""
    attention = iter(answer["attention_millionths"] or [])
    columns, curve = bundle["points"], []
    for place, letter in enumerate(answer["reasons"]):
        i = answer.get("index", range(10_000))[place]
        reason = letter != "a"
        curve.append(
            {
                "mjd": columns["mjd"][i],
                "band": columns["band"][i],
                "kind": columns["kind"][i],
                "psf_flux": columns["flux"][i],
                "psf_flux_err": columns["flux_err"][i],
                "attention": None if reason else next(attention) / 1e6,
                "rejected": reason,
            }
        )
    return curve


@pytest.mark.parametrize("seed", range(3))
def test_every_light_curve_comes_out_as_it_was_published_whatever_the_order(index, seed):
    messages = list(history("ZTF26aaaaaaa", 20))
    random.Random(seed).shuffle(messages)
    for sent in messages:
        store(index, sent)
    bundle = answers_of(index)
    by_alert = {answer["message"]["alert_id"]: answer for answer in bundle["answers"]}
    for sent in messages:
        curve = light_curve_of(bundle, by_alert[str(sent["alert_id"])])
        expected = [p | {"rejected": p["rejected"] is not None} for p in sent["light_curve"]]
        assert curve == expected


def test_the_rest_of_a_message_is_kept_word_by_word(index):
    sent = message(context={"new": [1, {"deep": "ü"}]}, surprise=7)
    store(index, sent)
    [answer] = answers_of(index)["answers"]
    expected = {k: v for k, v in sent.items() if k != "light_curve"}
    assert answer["message"] == expected | {"alert_id": str(sent["alert_id"])}


def test_a_message_of_the_first_schema_will_do(index):
    late = ("context", "information_bits", "probabilities_equal_prior", "alert_id_str")
    old = {k: v for k, v in message().items() if k not in (*late, "curve_version")}
    store(index, old | {"schema_version": 1})
    assert row(index)["bits"] is None


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0), (1, 1, 0)])
def test_of_one_id_the_highest_curve_version_stands(index, order):
    versions = [
        message(curve_version=v, **{"class": c}) for v, c in zip((5, 7, 9), "ABC", strict=True)
    ]
    for i in order:
        store(index, versions[i])
    [answer] = answers_of(index)["answers"]
    assert answer["message"]["curve_version"] == (5, 7, 9)[max(order)]
    assert row(index)["top_class"] == "ABC"[max(order)]
    assert len(answer["earlier"]) == len(set(order)) - 1


def test_without_curve_versions_the_last_to_arrive_stands(index):
    first = {k: v for k, v in message().items() if k != "curve_version"}
    store(index, first, first | {"class": "TDE", "probability": 0.5, "revised": True})
    [answer] = answers_of(index)["answers"]
    assert answer["message"]["class"] == "TDE"
    assert [old["message"]["class"] for old in answer["earlier"]] == ["SNIa"]


def test_a_message_that_comes_again_is_one_answer(index):
    store(index, message())
    store(index, message(), message())
    [answer] = answers_of(index)["answers"]
    assert answer["earlier"] == []
    assert row(index)["n_answers"] == 1


def test_a_row_sums_its_object_up(index):
    store(index, *history("ZTF26aaaaaaa", 20))
    listing = row(index)
    assert (listing["top_class"], listing["n_changes"], listing["n_answers"]) == ("SNIa", 1, 18)
    assert listing["bands"] == "gr"
    assert listing["first_mjd"] == points(3)[2]["mjd"]
    assert listing["last_mjd"] == points(20)[-1]["mjd"]


def test_the_newest_answer_is_that_of_the_newest_alert(index):
    early, late = message(n_points=5), message(n_points=9, top=2)
    store(index, late, early)
    assert row(index)["top_class"] == "SNIbc"


@pytest.mark.parametrize(
    "harm",
    [
        {"light_curve": "x"},
        {"mjd": "yesterday"},
        {"n_points_used": 2**70},
        {"probability": None},
        {"class": 5},
        {"curve_version": 2**63},
    ],
)
def test_what_is_no_classification_is_refused(harm):
    with pytest.raises(ValueError, match=r"."):
        published(json.dumps(message() | harm).encode())


def test_filters_pick_what_they_name(index):
    store(index, *history("ZTF26aaaaaaa", 20), message("ZTF26bbbbbbb", 4, top=4, survey="lsst"))
    assert listed(index, **{"class": "TDE,AGN"}) == ["ZTF26bbbbbbb"]
    assert listed(index, survey="ztf") == ["ZTF26aaaaaaa"]
    assert listed(index, min_points="10", max_age="400") == ["ZTF26aaaaaaa"]
    assert listed(index, max_bits="0.6") == ["ZTF26bbbbbbb"]
    assert listed(index, changed="1") == ["ZTF26aaaaaaa"]
    assert listed(index, text="BBB") == ["ZTF26bbbbbbb"]
    assert listed(index, band="z") == []
    assert listed(index, since="18") == ["ZTF26bbbbbbb"]
    assert listed(index, sort="-object") == ["ZTF26aaaaaaa", "ZTF26bbbbbbb"]
    assert listed(index, bundle="none") == []


def test_the_numbers_by_class_can_be_of_any_class(index):
    store(index, message("a", top=1), message("b", top=1), message("c", top=4))
    content = list_objects(index, condition({"class": "TDE"}), window({}), condition({}))
    assert (content["total"], content["by_class"]) == (1, {"SNII": 2, "TDE": 1})


@pytest.mark.parametrize(
    ("ra", "dec"), [(10.0, 20.0), (0.0001, -0.0001), (359.9999, 89.9995), (77.0, -90.0)]
)
def test_a_cone_holds_what_astropy_says_it_holds(index, ra, dec):
    from astropy.coordinates import SkyCoord

    rng = np.random.default_rng(5)
    ras = (ra + rng.normal(0, 0.002, 60) / max(0.01, np.cos(np.radians(dec)))) % 360
    decs = np.clip(dec + rng.normal(0, 0.002, 60), -90, 90)
    places = zip(ras.tolist(), decs.tolist(), strict=True)
    store(index, *(message(f"o{i}", 4, ra=a, dec=d) for i, (a, d) in enumerate(places)))
    apart = SkyCoord(ras, decs, unit="deg").separation(SkyCoord(ra, dec, unit="deg")).arcsec
    inside = listed(index, ra=str(ra), dec=str(dec), radius="7.2", limit="500")
    assert sorted(inside) == sorted(f"o{i}" for i in np.flatnonzero(apart <= 7.2))


@pytest.mark.parametrize(
    "query",
    [{"min_bits": "much"}, {"ra": "10"}, {"ra": "1", "dec": "95", "radius": "1"}, {"since": "nan"}],
)
def test_an_impossible_filter_is_explained(query):
    with pytest.raises(FilterError, match=r"."):
        condition(query)


def test_the_sky_map_has_every_object_once(index):
    store(index, *(message(f"o{i}", 4, ra=i * 3.6, dec=i - 50.0) for i in range(100)))
    store(index, message("nowhere", 4, ra=None, dec=None))
    assert sum(n for _, _, n, _ in sky_cells(index, condition({}))) == 100
    assert sky_cells(index, condition({"text": "o99"})) == [[356.4, 49.0, 1, "SNIa"]]


def test_rows_since_an_answer_are_the_newest(index):
    seq = store(index, message("a"), message("b"))
    store(index, message("c"), message("a", 6))
    news = rows_since(index, seq, 1)
    assert [listing["object_id"] for listing in news["rows"]] == ["a"]
    assert (news["n_objects"], news["seq"]) == (2, 4)


def test_the_oldest_objects_leave_an_index_that_is_too_large(index):
    for i in range(200):
        store(index, message(f"o{i}", 30))
    assert prune(index, 0.0, 1e9, used_bytes(index) / 2) >= 80
    left = listed(index, limit="500")
    assert left == [f"o{i}" for i in range(199, 199 - len(left), -1)]


def test_objects_without_an_answer_for_long_are_forgotten(index):
    store(index, message())
    assert prune(index, 1e12, 1.0, 1e12) == 1
    assert listed(index) == []
    assert object_history(index, "ztf", "ZTF26aaaaaaa") is None


def test_answers_and_offsets_are_stored_together_or_not_at_all(index):
    store(index, message(), offsets={("t", 0): 1})
    broken = published(encoded(message("b")))
    broken.rejected.append("one too many")
    with pytest.raises(IndexError, match="boolean"):
        store_answers(index, [broken], {("t", 0): 2})
    assert stored_offsets(index, "t") == {0: 1}
    assert listed(index) == ["ZTF26aaaaaaa"]


def test_a_damaged_index_is_begun_anew(tmp_path):
    path = tmp_path / "index.sqlite"
    path.write_bytes(b"no database" * 1000)
    connection = open_index(path)
    store(connection, message())
    assert listed(open_for_reading(path)) == ["ZTF26aaaaaaa"]
    connection.close()


def test_an_index_that_cannot_be_made_is_named(tmp_path):
    with pytest.raises(StoreUnavailableError, match=r"web\.index"):
        open_index(tmp_path / "no-folder" / "index.sqlite")


def test_reading_never_changes_the_index(tmp_path):
    open_index(tmp_path / "i.sqlite").close()
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        open_for_reading(tmp_path / "i.sqlite").execute("DELETE FROM objects")


def test_an_object_has_a_row_and_a_history_for_each_of_its_bundles(index):
    for content in history("ZTF26aaaaaaa", 9):
        other = content | {
            "id": content["id"].replace("ztf-transients:0.5.0", "ztf-kilonovae:0.4.0"),
            "model": {"name": "ztf-kilonovae", "version": "0.4.0", "hash": "x"},
        }
        store(index, content, other)
    assert listed(index) == ["ZTF26aaaaaaa"] * 2
    assert row(index, bundle="ztf-kilonovae")["bundle"] == "ztf-kilonovae"
    bundles = object_history(index, "ztf", "ZTF26aaaaaaa")["bundles"]
    lengths = {bundle["name"]: len(bundle["answers"]) for bundle in bundles}
    assert lengths == dict.fromkeys(("ztf-kilonovae", "ztf-transients"), len(list(history("Z", 9))))
