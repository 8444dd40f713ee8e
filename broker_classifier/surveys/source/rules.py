"""Which alerts are of no transient, told by what their packets say of the source.

A rule is a function of a `Context` and its limits in the settings. What a packet does not say
excludes nothing. The rules are the same for all surveys, and each survey's settings have limits of
their own. They come from the field's published filters; `config/rules.py` names them.
"""

from broker_classifier.config.rules import (
    ArtefactRule,
    Rules,
    SolarSystemRule,
    StarRule,
    VariableRule,
)
from broker_classifier.light_curve.photometry import magnitude_from_flux
from broker_classifier.surveys.alert import SOLAR_SYSTEM
from broker_classifier.surveys.source.context import Context

ARTEFACT, STAR, VARIABLE = "artefact", "star", "variable"
RULES = (SOLAR_SYSTEM, ARTEFACT, STAR, VARIABLE)
UNKNOWN_STAR_SCORE = 0.5  # what Pan-STARRS has where the score could not be computed
GALAXY_STAR_SCORE = 0.2  # up to here it is surely a galaxy
SHERLOCK_STARS, SHERLOCK_VARIABLES = ("VS", "BS"), ("CV",)


def excluded_by(context: Context, mjd: float, rules: Rules) -> str | None:
    """Name the first rule that excludes an alert whose detection was at `mjd`; None if none does.

    >>> excluded_by(Context(star_score=0.98, catalogue_arcsec=0.6), 60000.0, Rules())
    'star'
    """
    if rules.solar_system.on and is_moving(context, rules.solar_system):
        return SOLAR_SYSTEM
    if rules.artefact.on and is_artefact(context, rules.artefact):
        return ARTEFACT
    if rules.star.on and is_on_star(context, rules.star):
        return STAR
    if rules.variable.on and is_variable(context, mjd, rules.variable):
        return VARIABLE
    return None


def is_moving(context: Context, rule: SolarSystemRule) -> bool:
    """Say whether the detection is that of a known asteroid or comet."""
    distance = context.solar_system_arcsec
    if distance is None:
        return context.solar_system_name is not None
    return distance < rule.within_arcsec


def is_artefact(context: Context, rule: ArtefactRule) -> bool:
    """Say whether the detection is more likely bogus than real."""
    if rule.dipoles and context.is_dipole:
        return True
    limit = rule.min_rb if context.reliability_score == "rb" else rule.min_reliability
    return context.reliability is not None and context.reliability < limit


def is_on_star(context: Context, rule: StarRule) -> bool:
    """Say whether there is a star where something was detected."""
    return (
        context.sherlock_class in SHERLOCK_STARS
        or _is_on_catalogued_star(context, rule)
        or _is_on_gaia_star(context, rule)
        or _is_small_change(context, rule)
    )


def _is_on_catalogued_star(context: Context, rule: StarRule) -> bool:
    distance, score, colour = context.catalogue_arcsec, context.star_score, context.catalogue_colour
    if distance is None or score is None or distance >= rule.within_arcsec:
        return False
    is_red = colour is not None and colour > rule.redder_than and score > GALAXY_STAR_SCORE
    return is_red or score > rule.max_star_score


def _is_on_gaia_star(context: Context, rule: StarRule) -> bool:
    """Say whether a bright source of Gaia is here that is not catalogued as a galaxy.

    Gaia has the nuclei of bright galaxies, too.
    """
    distance, magnitude, score = context.gaia_arcsec, context.gaia_magnitude, context.star_score
    if distance is None or magnitude is None:
        return False
    is_bright_and_near = distance < rule.gaia_within_arcsec and magnitude < rule.gaia_brighter_than
    return is_bright_and_near and (score is None or score >= UNKNOWN_STAR_SCORE)


def _is_small_change(context: Context, rule: StarRule) -> bool:
    """Say whether a bright point in the template changed a little."""
    template, science = context.template_flux, context.science_flux
    if template is None or science is None or template <= 0.0:
        return False
    is_bright = magnitude_from_flux(template) < rule.template_brighter_than
    return is_bright and abs(science - template) < rule.smallest_change * template


def is_variable(context: Context, mjd: float, rule: VariableRule) -> bool:
    """Say whether the source has a history that no transient has.

    Active nuclei vary for years, too, but slowly, outside of the Galaxy's plane, and mostly in
    catalogued galaxies.
    """
    return (
        context.sherlock_class in SHERLOCK_VARIABLES
        or (context.n_sign_changes or 0) >= rule.sign_changes
        or (context.n_nights_of_each_sign or 0) >= rule.nights_of_each_sign
        or (_is_old(context, mjd, rule) and _is_in_galaxy(context, rule))
    )


def _is_old(context: Context, mjd: float, rule: VariableRule) -> bool:
    first = context.first_detection_mjd
    return first is not None and mjd - first > rule.after_days


def _is_in_galaxy(context: Context, rule: VariableRule) -> bool:
    """Say whether the source is a point of Gaia, or lies in the plane of the Galaxy."""
    latitude, distance, score = context.galactic_latitude, context.gaia_arcsec, context.star_score
    if latitude is not None and abs(latitude) < rule.plane_degrees:
        return True
    is_point = score is None or score >= UNKNOWN_STAR_SCORE
    return is_point and distance is not None and distance < rule.gaia_within_arcsec
