import numpy as np
import pytest

from broker_classifier.light_curve import CurveBatch, light_curve
from broker_classifier.model.trees.prefix_features import Features

NAMES = Features().channel_names("gr")


def features(curve, silence=None, bands="gr"):
    silence_days = None if silence is None else np.array([silence])
    row = Features().build(CurveBatch.of([curve]), bands, silence_days)[0, 0]
    return dict(zip(Features().channel_names(bands), row.tolist(), strict=True))


def supernova(n_nights=12):
    """Rises and falls, g and r in every third night, fluxes in nJy."""
    night = np.arange(n_nights) * 3.0
    mjd = 60000.0 + (night[:, None] + [0.0, 0.05]).ravel()
    shape = np.exp(-(((mjd - 60012.0) / 9.0) ** 2))
    flux = np.where(np.arange(2 * n_nights) % 2, 9e4, 7e4) * shape + 5e3
    return light_curve(mjd, flux, 0.05 * flux, "gr" * n_nights)


def test_whole_light_curve():
    curve = supernova()
    row, y = features(curve, silence=4.5), np.log(curve.psf_flux)
    expected = {
        "n": 24,
        "nights": 12,
        "age": curve.mjd[-1] - curve.mjd[0],
        "silence": 4.5,
        "peak": y.max(),
        "decline": y[-1] - y.max(),
        "snr_max": 20.0,
        "longest_gap": 2.95,
        "scatter": y.std(),
        "slope": np.polyfit(curve.mjd, y, 1)[0],
    }
    for name, value in expected.items():
        assert row[name] == pytest.approx(value, rel=1e-4, abs=1e-5), name


def test_one_band():
    curve = supernova()
    is_g = curve.band == curve.band[0]
    t, y = curve.mjd[is_g] - curve.mjd[0], np.log(curve.psf_flux[is_g].astype(float))
    row, peak = features(curve), y.argmax()
    recent = t >= t[-1] - 10
    expected = {
        "n_g": 12,
        "peak_day_g": t[peak],
        "slope_rise_g": np.polyfit(t[: peak + 1], y[: peak + 1], 1)[0],
        "slope_fall_g": np.polyfit(t[peak:], y[peak:], 1)[0],
        "slope_10_g": np.polyfit(t[recent], y[recent], 1)[0],
        "after_15_g": np.interp(t[peak] + 15, t, y) - y[peak],
        "before_10_g": np.interp(t[peak] - 10, t, y) - y[peak],
        "steepest_rise_g": np.max(np.diff(y) / np.diff(t)),
        "half_width_g": np.ptp(t[y >= y.max() - np.log(2)]),
    }
    for name, value in expected.items():
        assert row[name] == pytest.approx(value, rel=1e-4, abs=1e-5), name
    assert np.isnan(row["after_60_g"])


def test_colours_are_of_the_same_time():
    curve = supernova()
    is_g = curve.band == curve.band[0]
    t, y = curve.mjd - curve.mjd[0], np.log(curve.psf_flux.astype(float))
    colour = y[is_g] - np.interp(t[is_g], t[~is_g], y[~is_g])
    row = features(curve)
    expected = {
        "first_g_r": colour[0],
        "last_g_r": colour[-1],
        "mean_g_r": colour.mean(),
        "slope_g_r": np.polyfit(t[is_g], colour, 1)[0],
        "day_10_g_r": np.interp(10.0, t[is_g], colour),
        "carried_g_r": y[-2] - y[-1],
        "lag_first_g_r": -0.05,
    }
    for name, value in expected.items():
        assert row[name] == pytest.approx(value, rel=1e-4, abs=1e-5), name


def test_a_colour_needs_both_bands_near_in_time():
    apart = light_curve([60000.0, 60009.0], 1e4, 1e3, "gr")
    near = light_curve([60000.0, 60003.0], 1e4, 1e3, "gr")
    assert np.isnan(features(apart)["first_g_r"])
    assert features(near)["first_g_r"] == 0.0


def test_a_single_point_leaves_the_rest_unknown():
    row = features(light_curve([60000.0], 2e4, 1e3, "r"))
    assert (row["n"], row["n_g"], row["n_r"], row["silence"]) == (1, 0, 1, 0)
    assert np.isnan([row["slope"], row["first_g"], row["of_peaks_g_r"], row["night_gap"]]).all()


def test_a_batch_gives_what_each_light_curve_gives_alone():
    curves = [supernova(n) for n in (1, 5, 12)]
    together = Features().build(CurveBatch.of(curves), "gr")
    alone = [Features().build(CurveBatch.of([c]), "gr")[0] for c in curves]
    np.testing.assert_array_equal(together, alone)


def test_every_band_and_every_pair_of_neighbours_has_its_features():
    curve = light_curve([60000.0, 60000.01, 60000.02], [1e4, 2e4, 4e4], 1e3, "gri")
    row = features(curve, bands="griz")
    assert row["first_g_r"] == pytest.approx(np.log(0.5), abs=1e-5)
    assert row["first_r_i"] == pytest.approx(np.log(0.5), abs=1e-5)
    assert np.isnan(row["first_i_z"])
