"""Bringing supernovae nearer: the light of one band stands in for that of a bluer one."""

from dataclasses import replace

import numpy as np
import pytest

from broker_classifier.light_curve import BANDS, bands
from broker_classifier.training.nearer import brought_nearer
from broker_classifier.training.objects import LabelledObject
from broker_classifier.training.recipe_tables import Pretraining
from tests.training.noises import plain_noise

HOW = Pretraining(stand_ins={"gr": 1.0, "ri": 1.3, "iz": 1.6}, redshifts=(0.0, 0.2))
WAVELENGTH = {
    "g": 480.0,
    "r": 624.0,
    "i": 768.0,
    "z": 998.4,
}  # r / g = 1.3, i / g = 1.6, z / r = 1.6


def supernova(redshift, name="a", scale=1e5, rel_err=0.01):
    """A made-up event, every four days in griz, whose light is a function of rest-frame colour."""
    night = np.arange(0.0, 80.0, 4.0)
    mjd, band = np.repeat(60000 + night, 4), np.tile(bands("griz").astype(np.int64), len(night))
    flux = scale * model(mjd - 60000, [WAVELENGTH[BANDS[b]] for b in band], redshift)
    return LabelledObject(
        name, name, "SNII", "deep", True, mjd, flux, rel_err * flux, band, redshift=redshift
    )


def model(days, wavelength, redshift):
    rest_days, rest = days / (1 + redshift), np.array(wavelength) / (1 + redshift)
    return np.exp(-((rest_days - 15) ** 2) / 200) * np.exp(
        -((rest / 400 - 1) ** 2) - rest_days / 99
    )


def near(*peaks):
    few = supernova(0.05, "near")
    return [replace(few, flux=few.flux / few.flux.max() * peak) for peak in peaks]


@pytest.mark.parametrize(("redshift", "factor", "letters"), [(0.1, 1, "gr"), (0.4, 1.3, "ri")])
def test_it_shows_what_a_nearer_object_would_send_into_its_bands(redshift, factor, letters):
    far = supernova(redshift)
    (found,) = brought_nearer([far], near(3e5), HOW, plain_noise())
    days, its_bands = found.mjd - 60000, [BANDS[b] for b in found.band]
    shifted = [WAVELENGTH[letters["gr".index(b)]] / factor for b in its_bands]
    expected = model(days, shifted, (1 + redshift) / factor - 1)
    assert set(its_bands) == {"g", "r"}
    np.testing.assert_allclose(found.flux / found.flux.max(), expected / expected.max(), rtol=1e-9)
    np.testing.assert_allclose(found.flux_err, 0.01 * found.flux)
    assert found.flux.max() == pytest.approx(3e5)


def test_what_no_bands_bring_near_enough_is_left_out():
    redshifts = [0.25, 0.95, np.nan]
    assert brought_nearer([supernova(z) for z in redshifts], near(3e5), HOW, plain_noise()) == []


def test_the_first_bands_that_lead_there_are_taken():
    (found,) = brought_nearer([supernova(0.56)], near(3e5), HOW, plain_noise())
    assert np.ptp(found.mjd) == pytest.approx(76 / 1.3)  # z would be 0.2; with i and z less than 0


def test_a_noisy_one_becomes_as_faint_as_alerts_allow():
    noisy = supernova(0.1, rel_err=0.1)  # alerts have 3000 nJy
    for name in "abcde":
        one = replace(noisy, object_id=name)
        (found,) = brought_nearer([one], near(*[4e4] * 9, 2e6), HOW, plain_noise())
        good = found.flux > 4 * found.flux_err
        assert np.median(found.flux_err[good]) < 10**3.5


def test_one_without_an_object_of_its_class_nearby_is_left_out():
    assert brought_nearer([supernova(0.1)], [], HOW, plain_noise()) == []


def test_the_same_object_is_brought_to_the_same_place():
    first, again = (
        brought_nearer([supernova(0.1)], near(1e5, 2e5, 3e5), HOW, plain_noise()) for _ in "ab"
    )
    np.testing.assert_array_equal(first[0].flux, again[0].flux)
