"""Columns of any kind make the light curve that their numbers say, or an error that names a row."""

import subprocess
import sys
from inspect import getdoc, signature

import astropy.units as u
import numpy as np
import pandas
import pytest
from astropy.table import Column, MaskedColumn, Table
from astropy.time import Time
from hypothesis import given
from hypothesis import strategies as st

from broker_classifier.errors import BrokerError, LightCurveError
from broker_classifier.light_curve import (
    BANDS,
    Kind,
    curve_from_arrays,
    light_curve,
    light_curve_from_magnitudes,
)

MJD, FLUX, ERR, BAND = [60000.0, 60002.5, 60003.0], [500.0, 900.0, -70.0], [10.0, 20.0, 30.0], "ggr"
CURVE = curve_from_arrays(MJD, FLUX, ERR, [1, 1, 2])


def frame(**changed):
    columns = {"mjd": MJD, "flux": FLUX, "err": ERR, "band": list(BAND)} | changed
    return pandas.DataFrame(columns, index=["x", "y", "z"])


def of_table(table):
    return light_curve(table["mjd"], table["flux"], table["err"], table["band"])


@pytest.mark.parametrize("band", [BAND, list(BAND), np.array(list(BAND)), [b"g", b"g ", b"r"]])
def test_letters_may_come_in_any_form(band):
    assert light_curve(MJD, FLUX, ERR, band) == CURVE


@pytest.mark.parametrize(
    "table",
    [
        frame(),
        frame(band=pandas.Categorical(list(BAND)), flux=pandas.array(FLUX, dtype="Float64")),
        Table(frame().to_dict("list")),
        Table(frame().to_dict("list"), masked=True),
        Table({"mjd": MJD, "flux": FLUX * u.nJy, "err": ERR, "band": np.array(list(BAND), "S2")}),
        Table({"mjd": MJD, "flux": np.array(FLUX) / 1e3 * u.uJy, "err": ERR, "band": list(BAND)}),
        Table({"mjd": Time(MJD, format="mjd"), "flux": FLUX, "err": ERR, "band": list(BAND)}),
    ],
)
def test_a_table_is_one_call(table):
    assert of_table(table) == CURVE


def test_a_scalar_stands_for_a_whole_column():
    expected = curve_from_arrays(MJD, [9.0] * 3, [2.0] * 3, [3] * 3)
    assert light_curve(MJD, 9.0, 2.0 * u.nJy, "i") == expected
    assert len(light_curve(60000.0, 9.0, 2.0, "i")) == 1
    assert len(light_curve([], [], 2.0, "i")) == 0


def test_times_of_another_scale_become_utc():
    tai = Time(MJD, format="mjd", scale="tai")
    assert light_curve(tai, FLUX, ERR, BAND).mjd == pytest.approx(tai.utc.mjd, abs=1e-9)


def test_kinds_and_withdrawn_points_are_kept():
    flux, kind = [1.0, np.nan, 2.0], [Kind.DETECTION, Kind.UPPER_LIMIT, Kind.FORCED]
    curve = light_curve(MJD, flux, ERR, "z", kind, is_withdrawn=[False, False, True])
    assert curve.kind.tolist() == kind
    assert curve.is_withdrawn.tolist() == [False, False, True]


NAN = float("nan")


@pytest.mark.parametrize(
    ("changed", "complaint"),
    [
        ({"band": "gxr"}, r"band, row 1 \(the first is 0\): 'x' is no band: give one of u, g, r"),
        ({"band": [1, 1, 2]}, "band, row 0 .*: 1 is no band"),
        ({"band": ["g", None, "r"]}, "band, row 1 .*: None is no band"),
        ({"band": MaskedColumn(list(BAND), mask=[0, 0, 1])}, "band, row 2 .*: None is no band"),
        ({"band": "ggrr"}, "3 rows of mjd, 3 rows of flux_njy, .*, 4 rows of band"),
        ({"mjd": [60000.0, NAN, 60003.0]}, "mjd, row 1 .*: nan is no time"),
        ({"mjd": [2460000.5, *MJD[1:]]}, "mjd, row 0 .*: 2460000.5 is no MJD: subtract 2400000.5"),
        ({"mjd": [MJD]}, r"mjd has the shape \(1, 3\): give one column"),
        ({"flux_njy": [1.0, "much", 2.0]}, "flux_njy, row 1 .*: 'much' is no number"),
        ({"flux_njy": [1.0, NAN, 2.0]}, "flux_njy, row 1 .*: nan is no flux: .* Kind.UPPER_LIMIT"),
        ({"flux_njy": 1e39}, r"flux_njy, row 0 .*: 1e\+39 is no flux"),
        ({"flux_njy": Column(FLUX, unit=u.ABmag)}, "magnitudes: .*`light_curve_from_magnitudes`"),
        ({"flux_njy": FLUX * u.adu}, "flux_njy is in adu, and cannot be converted to nJy"),
        ({"flux_err_njy": pandas.array([1.0, 2.0, None], "Float64")}, "flux_err_njy, row 2 "),
        ({"flux_err_njy": MaskedColumn(ERR, mask=[0, 1, 0], unit="nJy")}, "flux_err_njy, row 1 "),
        ({"flux_err_njy": [1.0, -2.0, 3.0]}, "flux_err_njy, row 1 .*: -2.0 is no error of a flux"),
        ({"flux_err_njy": 0.0}, "flux_err_njy, row 0 .*: 0.0 is no error of a flux"),
        ({"kind": 3}, "kind: 3 is no `Kind`"),
        (
            {"is_withdrawn": ["t", "f", "f"]},
            "is_withdrawn, row 0 .*: .t. is neither True",
        ),
    ],
)
def test_what_is_no_light_curve_is_refused_by_column_and_row(changed, complaint):
    columns = {"mjd": MJD, "flux_njy": FLUX, "flux_err_njy": ERR, "band": BAND} | changed
    with pytest.raises(LightCurveError, match=complaint) as refused:
        light_curve(**columns)
    assert isinstance(refused.value, BrokerError)


magnitudes = st.floats(5.0, 30.0)


@given(st.lists(st.tuples(magnitudes, st.floats(1e-3, 0.3), st.booleans()), min_size=1))
def test_magnitudes_become_the_fluxes_of_astropy_and_errors_their_slope(rows):
    mag, err, is_positive = (np.array(column) for column in zip(*rows, strict=True))
    curve = light_curve_from_magnitudes(np.arange(len(rows)), mag, err, "r", is_positive)
    flux, step = (mag * u.ABmag).to_value(u.nJy), 1e-4
    slope = (((mag - step) * u.ABmag).to_value(u.nJy) - flux) / step
    np.testing.assert_allclose(curve.psf_flux, np.where(is_positive, flux, -flux), rtol=1e-6)
    np.testing.assert_allclose(curve.psf_flux_err, slope * err, rtol=1e-4)


@pytest.mark.parametrize("unit", ["mag", "mag(AB)"])
def test_magnitudes_may_carry_their_unit(unit):
    mag = Column([18.0, 19.0], unit=unit)
    expected = light_curve_from_magnitudes([1.0, 2.0], [18.0, 19.0], 0.1, "gr")
    assert light_curve_from_magnitudes([1.0, 2.0], mag, 0.1 * u.mag, "gr") == expected


@pytest.mark.parametrize(
    ("changed", "complaint"),
    [
        ({"mag": [20.0, NAN]}, "mag, row 1 .*: nan is no magnitude"),
        ({"mag": [20.0, 21.0] * u.nJy}, "mag is in nJy: convert it to AB magnitudes"),
        ({"mag_err": [0.1, 0.0]}, "mag_err, row 1 .*: 0.0 is no error of a magnitude"),
        (
            {"mag_err": np.ma.array([0.1, 0.1], mask=[True, False])},
            "mag_err, row 0 .*: nan is no magn",
        ),
        ({"is_positive": ["t", "f"]}, "is_positive, row 0 .*: 't' is neither True nor False"),
    ],
)
def test_what_is_no_magnitude_is_refused_by_column_and_row(changed, complaint):
    columns = {"mjd": [1.0, 2.0], "mag": [20.0, 21.0], "mag_err": 0.1, "band": "g"} | changed
    with pytest.raises(LightCurveError, match=complaint):
        light_curve_from_magnitudes(**columns)


PACKAGE_FIRST = "import broker_classifier.light_curve; from broker_classifier import light_curve"
NAME_FIRST = "from broker_classifier import light_curve; import broker_classifier.light_curve"


@pytest.mark.parametrize("imports", [PACKAGE_FIRST, NAME_FIRST])
def test_the_name_can_be_called_whichever_is_imported_first(imports):
    calls = (
        "import broker_classifier as b; from broker_classifier.light_curve import light_curve as f;"
        "arguments = [60000.0, 60001.0], 90.0, 8.0, 'gr';"
        "assert light_curve(*arguments) == b.light_curve(*arguments) == f(*arguments);"
        "assert b.light_curve.BANDS == 'ugrizy'"
    )
    subprocess.run([sys.executable, "-c", f"{imports}; {calls}"], check=True)


def test_the_package_shows_what_it_is_called_with():
    package = sys.modules["broker_classifier.light_curve"]
    assert signature(package) == signature(light_curve)
    assert getdoc(light_curve) in getdoc(package)


def test_every_band_letter_is_its_index():
    assert light_curve(np.arange(6.0), 1.0, 1.0, BANDS).band.tolist() == list(range(6))
