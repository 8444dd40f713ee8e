"""Conditions of subscribers: what they mean, what headers decide of them, what is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker_classifier.errors import ConfigError
from broker_classifier.streams.classification import ClassificationMessage
from broker_classifier.streams.where import condition

CLASSES = ("SNIa", "SNIa-91bg", "TDE")


def message(probabilities, *, points=3, bits=0.5, survey="ztf", revised=False):
    by_class = dict(zip(CLASSES, probabilities, strict=True))
    top = max(by_class, key=by_class.__getitem__)
    return ClassificationMessage(
        id="1:m:1",
        survey=survey,
        object_id="ZTF21abiuvdk",
        alert_id=1,
        alert_id_str="1",
        mjd=60000.5,
        ra=10.0,
        dec=None,
        revised=revised,
        curve_version=1,
        top_class=top,
        probability=by_class[top],
        probabilities=by_class,
        probabilities_equal_prior=dict.fromkeys(CLASSES, 1 / 3),
        information_bits=bits,
        n_points_used=points,
        n_points_rejected={},
        light_curve=[],
        model={"name": "ztf-transients", "version": "1", "hash": "h"},
        times={
            "observed": "2023-01-01T00:00:00Z",
            "received": None,
            "classified": "2023-01-01T00:00:01Z",
        },
    )


def headers(content):
    return {
        "class": content.top_class,
        "probability": f"{content.probability:.6f}",
        "survey": content.survey,
        "model": content.model.name,
        "points": str(content.n_points_used),
        "bits": f"{content.information_bits:.4f}",
        "revised": str(content.revised).lower(),
    }


@pytest.mark.parametrize(
    ("text", "matches"),
    [
        ("TDE > 0.1 and points >= 3", True),
        ("TDE > 0.1 and points > 3", False),
        ("SNIa-91bg > .05", True),
        ("not TDE > 0.1", False),
        ("TDE > 0.9 or bits == 0.5", True),
        ("TDE > 0.9 or (bits < 1 and SNIa > TDE)", True),
        ("TDE > 0.9 or bits < 1 and SNIa < TDE", False),
        ("equal_prior(TDE) > 0.33", True),
        ("class == SNIa", True),
        ("class != 'SNIa'", False),
        ('class in (TDE, "SNIa")', True),
        ("survey == lsst", False),
        ('object == "ZTF21abiuvdk" and model == ztf-transients', True),
        ("revised", False),
        ("not revised and mjd > 60000", True),
        ("dec > -30", False),
        ("ra > -30", True),
        ("KN > 0.1", False),
        ("not KN > 0.1", False),
    ],
)
def test_a_condition_means_what_it_says(text, matches):
    assert condition(text).of_message(message([0.7, 0.1, 0.2])) is matches


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("TDE >", 5),
        ("TDE >> 0.1", 5),
        ("points", 6),
        ("TDE > 0.1 und points > 3", 10),
        ("class > 3", 6),
        ("(TDE > 0.1", 10),
        ("__import__('os')", 0),
        ("", 0),
    ],
)
def test_what_is_no_condition_is_refused_with_its_place(text, place):
    with pytest.raises(ConfigError) as refused:
        condition(text)
    line, caret = str(refused.value).splitlines()[1:3]
    assert (line, caret) == (text, " " * place + "^")


def test_it_names_its_classes():
    assert condition("TDE > .1 or class in (KN, SNIa) or equal_prior(SNII) > .2").classes == (
        "TDE",
        "KN",
        "SNIa",
        "SNII",
    )


SHARES = st.lists(st.integers(1, 10**6), min_size=3, max_size=3).map(
    lambda counts: [round(n / sum(counts), 6) for n in counts]
)
TERMS = st.sampled_from(
    [
        f"{n} {sign} {x}"
        for n in (*CLASSES, "equal_prior(TDE)", "points", "bits", "probability")
        for sign in ("<", "<=", ">", ">=", "==", "!=")
        for x in (0, 0.2, 1 / 3, 0.5, 3)
    ]
    + ["revised", "class == TDE", "survey in (ztf, lsst)", "object == ZTF1", "SNIa < TDE"]
)
CONDITIONS = st.recursive(
    TERMS,
    lambda inner: st.one_of(
        inner.map(lambda a: f"not ({a})"),
        st.tuples(inner, st.sampled_from(["and", "or"]), inner).map(lambda t: f"({' '.join(t)})"),
    ),
    max_leaves=5,
)


@given(SHARES, CONDITIONS, st.integers(0, 5), st.booleans())
def test_headers_never_say_otherwise_than_the_message(probabilities, text, points, revised):
    content = message(probabilities, points=points, revised=revised)
    from_headers = condition(text).of_headers(headers(content))
    assert from_headers in (None, condition(text).of_message(content))


def test_headers_bound_the_probabilities_that_they_do_not_hold():
    of_headers = condition("TDE > 0.3").of_headers
    assert of_headers({"class": "SNIa", "probability": "0.800000"}) is False
    assert of_headers({"class": "SNIa", "probability": "0.600000"}) is None
    assert of_headers({"class": "TDE", "probability": "0.600000"}) is True
    assert of_headers({}) is None
