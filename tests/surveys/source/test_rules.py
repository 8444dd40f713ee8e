"""Each rule at its limit, with what is missing, and switched off."""

import pytest

from broker_classifier.config.rules import Rules, StarRule
from broker_classifier.surveys.source.context import NOTHING_SAID, Context
from broker_classifier.surveys.source.rules import RULES, excluded_by

MJD = 60000.0
EXAMPLES = {
    "solar_system": Context(solar_system_arcsec=0.0, solar_system_name="17495"),
    "artefact": Context(reliability=0.22, reliability_score="drb"),
    "star": Context(catalogue_arcsec=0.6, star_score=0.98),
    "variable": Context(n_sign_changes=5),
}


def excluded(rules=None, **context):
    return excluded_by(Context(**context), MJD, rules or Rules())


def test_what_a_packet_does_not_say_excludes_nothing():
    assert excluded_by(NOTHING_SAID, MJD, Rules()) is None


@pytest.mark.parametrize("name", RULES)
def test_every_rule_can_be_switched_off_alone(name):
    rule = getattr(Rules(), name)
    without = Rules().model_copy(update={name: rule.model_copy(update={"on": False})})
    for other, context in EXAMPLES.items():
        assert excluded_by(context, MJD, Rules()) == other
        assert excluded_by(context, MJD, without) == (None if other == name else other)
        assert excluded_by(context, MJD, Rules().off()) is None


@pytest.mark.parametrize(
    ("distance", "reason"), [(4.999, "solar_system"), (5.0, None), (0.0, "solar_system")]
)
def test_solar_system_objects_are_nearer_than_5_arcseconds(distance, reason):
    assert excluded(solar_system_arcsec=distance, solar_system_name="1") == reason


def test_a_source_that_the_survey_gave_to_a_solar_system_object_needs_no_distance():
    assert excluded(solar_system_name="2004 JQ12") == "solar_system"


@pytest.mark.parametrize(
    ("score", "reliability", "reason"),
    [
        ("drb", 0.499, "artefact"),
        ("drb", 0.5, None),
        ("rb", 0.499, None),
        ("rb", 0.199, "artefact"),
        ("rb", 0.2, None),
        ("reliability", 0.499, "artefact"),
        (None, None, None),
    ],
)
def test_artefacts_are_less_reliable_than_the_limit_of_their_score(score, reliability, reason):
    assert excluded(reliability_score=score, reliability=reliability) == reason


@pytest.mark.parametrize(("is_dipole", "reason"), [(True, "artefact"), (False, None), (None, None)])
def test_dipoles_are_artefacts(is_dipole, reason):
    assert excluded(is_dipole=is_dipole, reliability=0.9) == reason


@pytest.mark.parametrize(
    ("distance", "score", "reason"),
    [
        (1.999, 0.77, "star"),
        (2.0, 0.77, None),
        (0.1, 0.76, None),
        (0.1, 0.5, None),
        (None, 0.99, None),
        (0.1, None, None),
    ],
)
def test_stars_have_a_high_score_within_2_arcseconds(distance, score, reason):
    assert excluded(catalogue_arcsec=distance, star_score=score) == reason


@pytest.mark.parametrize(
    ("colour", "score", "reason"),
    [(3.001, 0.21, "star"), (3.0, 0.5, None), (5.0, 0.2, None), (None, 0.5, None)],
)
def test_very_red_sources_that_are_not_surely_galaxies_are_stars(colour, score, reason):
    said = {"catalogue_colour": colour, "star_score": score, "catalogue_arcsec": 0.3}
    assert excluded(**said) == reason


@pytest.mark.parametrize(
    ("distance", "magnitude", "score", "reason"),
    [
        (1.499, 16.999, 0.5, "star"),
        (1.499, 16.999, None, "star"),
        (1.5, 16.0, 0.5, None),
        (0.1, 17.0, 0.5, None),
        (0.07, 13.0, 0.23, None),  # the nucleus of a galaxy
        (None, 13.0, None, None),
        (0.1, None, None, None),
    ],
)
def test_bright_sources_of_gaia_are_stars_unless_catalogued_as_galaxies(
    distance, magnitude, score, reason
):
    said = {"gaia_arcsec": distance, "gaia_magnitude": magnitude, "star_score": score}
    assert excluded(**said) == reason


@pytest.mark.parametrize(
    ("template", "science", "reason"),
    [
        (211_382.0, 191_474.0, "star"),
        (40_000.0, 47_999.0, "star"),
        (40_000.0, 48_001.0, None),
        (36_000.0, 36_100.0, None),  # fainter than 20 mag, 36,308 nJy
        (None, 36_100.0, None),
        (211_382.0, None, None),
        (0.0, 0.0, None),
        (-5.0, 10.0, None),
    ],
)
def test_a_small_change_of_a_bright_point_in_the_template_is_a_star(template, science, reason):
    assert excluded(template_flux=template, science_flux=science) == reason


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ({"n_sign_changes": 3}, "variable"),
        ({"n_sign_changes": 2}, None),
        ({"n_nights_of_each_sign": 5}, "variable"),
        ({"n_nights_of_each_sign": 4}, None),
    ],
)
def test_variable_sources_change_their_sign_again_and_again(said, reason):
    assert excluded(**said) == reason


@pytest.mark.parametrize(
    ("first_mjd", "distance", "score", "reason"),
    [
        (MJD - 366.0, 0.5, 0.6, "variable"),
        (MJD - 366.0, 0.5, None, "variable"),
        (MJD - 365.0, 0.5, 0.6, None),
        (MJD - 3000.0, 0.5, 0.2, None),  # an active nucleus
        (MJD - 3000.0, 1.0, 0.6, None),
        (MJD - 3000.0, None, 0.6, None),
        (None, 0.5, 0.6, None),
    ],
)
def test_old_points_are_variable_and_nuclei_of_galaxies_are_not(first_mjd, distance, score, reason):
    said = {"first_detection_mjd": first_mjd, "gaia_arcsec": distance, "star_score": score}
    assert excluded(**said) == reason


@pytest.mark.parametrize(
    ("first_mjd", "latitude", "reason"),
    [
        (MJD - 366.0, -6.9, "variable"),
        (MJD - 366.0, 7.0, None),
        (MJD - 365.0, 0.0, None),
        (MJD - 366.0, None, None),
    ],
)
def test_what_is_old_in_the_plane_of_the_galaxy_is_variable(first_mjd, latitude, reason):
    assert excluded(first_detection_mjd=first_mjd, galactic_latitude=latitude) == reason


@pytest.mark.parametrize(
    ("sherlock", "reason"),
    [("VS", "star"), ("BS", "star"), ("CV", "variable"), ("AGN", None), ("SN", None), ("", None)],
)
def test_sherlocks_class_is_a_rules_word_too(sherlock, reason):
    assert excluded(sherlock_class=sherlock) == reason


def test_the_limits_are_those_of_the_settings():
    strict = Rules(star=StarRule(max_star_score=0.4))
    assert excluded(strict, catalogue_arcsec=0.1, star_score=0.5) == "star"
