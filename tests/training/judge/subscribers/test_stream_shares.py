import pytest

from broker_classifier.training.judge.subscribers.stream_shares import stream_shares

ALL = ("SNIa", "SNIa-91bg", "SNIax", "SNII", "SNIIn", "SNIbc", "SLSN-I", "TDE", "AGN", "KN")


def test_a_third_is_agn_and_the_rest_as_the_bright_transient_survey_types_it():
    shares = dict(zip(ALL, stream_shares(ALL), strict=True))
    assert sum(shares.values()) == pytest.approx(1.0)
    assert shares["AGN"] == pytest.approx(1 / 3)
    supernovae = sum(shares[name] for name in ALL[:6])
    thermonuclear = sum(shares[name] for name in ALL[:3])
    assert thermonuclear / supernovae == pytest.approx(0.75, abs=0.01)
    assert shares["SLSN-I"] / supernovae == pytest.approx(78 / 4000)
    assert shares["TDE"] / supernovae == pytest.approx(30 / 4000)


def test_kinds_that_a_bundle_does_not_name_belong_to_the_class_that_has_them():
    shares = dict(zip(ALL, stream_shares(ALL), strict=True))
    few = ("AGN", "SNII", "SNIa", "SNIbc", "SLSN-I", "TDE", "KN")
    joined = dict(zip(few, stream_shares(few), strict=True))
    assert joined["SNII"] == pytest.approx(shares["SNII"] + shares["SNIIn"])
    assert joined["SNIa"] == pytest.approx(sum(shares[name] for name in ALL[:3]))
    assert joined["AGN"] == pytest.approx(shares["AGN"])


@pytest.mark.parametrize("classes", [("SNIa", "Mira"), ("SNIa",)])
def test_without_a_share_for_each_class_there_are_none(classes):
    assert stream_shares(classes) is None
