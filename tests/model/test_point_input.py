import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from broker_classifier.light_curve import CurveBatch, Kind, LightCurve, light_curve
from broker_classifier.light_curve.selection import Selection, select
from broker_classifier.model.point_input import Normalisation, channel_names, channels
from tests.curves import detections, light_curves

RULES = Selection(one_per_band_and_night=False)
NORM = Normalisation()
NAMES = channel_names("gr")


def rows(curve, norm=NORM, bands="gr"):
    rules = RULES.model_copy(update={"bands": tuple(bands)})
    used = CurveBatch.of([curve]).take(select(curve, rules).index)
    return norm.build(used, rules.bands)[0]


def slow_rows(curve):
    """The definition of the channels, written as a loop over points, g and r."""
    out = []
    points = [
        (p["mjd"], p["psf_flux"], p["psf_flux_err"], int(p["flags"]) & 7) for p in curve.points
    ]
    for i, (t, _, _, here) in enumerate(points):
        row = {"step": np.log1p(t - points[max(i - 1, 0)][0])}
        row |= {"age": (t - points[0][0]) / 50, "log_age": np.log1p(t - points[0][0])}
        for letter, index in (("g", 1), ("r", 2)):
            of_band = [p for p in points[: i + 1] if p[3] == index]
            row[f"band_{letter}"] = float(here == index)
            row[f"seen_{letter}"] = float(bool(of_band))
            if of_band:
                lnf = [np.log(float(p[1])) for p in of_band]
                t_last, f, e = of_band[-1][0], float(of_band[-1][1]), float(of_band[-1][2])
                e = max(e, 0.02 * f)
                row[f"flux_{letter}"] = np.arcsinh(f / 20000) / 2
                row[f"snr_{letter}"] = np.arcsinh(f / e) / 2
                row[f"gap_{letter}"] = np.log1p(t - t_last)
                row[f"err_{letter}"] = np.log10(e) - 3.9
                row[f"decline_{letter}"] = lnf[-1] - max(lnf)
                row[f"rise_{letter}"] = lnf[-1] - lnf[0]
                row[f"ln_{letter}"] = lnf[-1]
        if "ln_g" in row and "ln_r" in row:
            row["colour_g_r"] = row["ln_g"] - row["ln_r"]
        out.append([row.get(name, 0.0) for name in NAMES])
    return np.array(out)


@settings(deadline=None)
@given(light_curves(usable_only=True))
def test_the_channels_are_what_their_definition_says(curve):
    newest = LightCurve(curve.points[select(curve, RULES).index])
    bright = LightCurve(newest.points[newest.psf_flux > newest.psf_flux_err])
    if len(bright) == len(newest):
        np.testing.assert_allclose(rows(newest), slow_rows(newest), atol=2e-5)


@settings(deadline=None)
@given(light_curves(usable_only=True))
def test_no_row_sees_a_later_point(curve):
    newest = LightCurve(curve.points[select(curve, RULES).index])
    for i in (0, len(newest) // 2, len(newest) - 1):
        earlier = LightCurve(newest.points[: i + 1])
        np.testing.assert_array_equal(rows(newest)[: i + 1], rows(earlier))


def test_the_date_does_not_enter():
    early, late = detections([59000.25, 59003.5]), detections([61000.25, 61003.5])
    np.testing.assert_array_equal(rows(early), rows(late))


def test_a_band_that_was_never_seen_is_zero():
    g_channels = [i for i, name in enumerate(NAMES) if name.endswith("_g")]
    assert not rows(detections([1.0, 5.0]))[:, g_channels].any()


def test_an_error_below_the_floor_counts_as_the_floor():
    at_floor, tiny = detections([1.0], 1e5, 2000.0), detections([1.0], 1e5, 1.0)
    np.testing.assert_array_equal(rows(at_floor), rows(tiny))


def test_faint_and_negative_forced_fluxes_stay_finite():
    rules = Selection(kinds=("forced",), positive_only=False)
    curve = light_curve([1.0, 2.0, 3.0], [-50.0, 0.0, 5.0], 10.0, "grg", Kind.FORCED)
    assert np.isfinite(NORM.build(CurveBatch.of([curve]), rules.bands)).all()


@pytest.mark.parametrize("bands", ["r", "gr", "ugrizy"])
def test_the_channels_are_as_many_as_their_names(bands):
    assert rows(detections([1.0, 2.0]), bands=bands).shape == (2, len(channel_names(bands)))


@settings(deadline=None)
@given(st.lists(light_curves(usable_only=True), min_size=1, max_size=4), st.randoms())
def test_rows_of_many_from_a_point_on_are_those_of_each(curves, random):
    used = [LightCurve(c.points[select(c, RULES).index]) for c in curves]
    done = np.array([random.randint(0, len(c)) for c in used])
    expected = np.concatenate([rows(c)[n:] for c, n in zip(used, done, strict=True)])
    np.testing.assert_array_equal(channels(CurveBatch.of(used), "gr", NORM, done), expected)
