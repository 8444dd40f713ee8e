"""The settings of the rules that decline what is no transient, with the limits of the field.

The limits are those of published filters: of the ZTF Bright Transient Survey (BTS; Perley et al.
2020, ApJ 904, 35, and Zenodo 4054129), of Fink (fink-science: `transient_features`, `asteroids`),
of AMPEL (`DecentFilter`), of Lasair's virtual research assistant and of Rubin's alert production.
The limit for ZTF's `drb` is that of its authors (Duev et al. 2019, MNRAS 489, 3582).
"""

from typing import Self

from pydantic import BaseModel, ConfigDict, Field


class _Rule(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class SolarSystemRule(_Rule):
    """Detections of known asteroids and comets."""

    on: bool = Field(True, description="Decline known solar-system objects as solar_system.")
    within_arcsec: float = Field(
        5.0, gt=0, description="Greatest distance from where one is expected (Fink 5, AMPEL 20)."
    )


class ArtefactRule(_Rule):
    """Detections that are none."""

    on: bool = Field(True, description="Decline what is more likely bogus than real as artefact.")
    min_reliability: float = Field(
        0.5,
        ge=0,
        le=1,
        description="Least drb of ZTF (Duev et al. .5, Fink .8), reliability of LSST (Rubin, "
        "Lasair .5).",
    )
    min_rb: float = Field(
        0.2, ge=0, le=1, description="Least rb, where ZTF has no drb (BTS .2, AMPEL .3)."
    )
    dipoles: bool = Field(True, description="Whether dipoles of LSST are artefacts (Fink).")


class StarRule(_Rule):
    """Detections on a star."""

    on: bool = Field(True, description="Decline what lies on a star as star.")
    max_star_score: float = Field(
        0.76, ge=0, le=1, description="Above it the nearest source is a star (BTS .76, AMPEL .8)."
    )
    within_arcsec: float = Field(
        2.0, gt=0, description="Greatest distance of that star (BTS 2, Fink 2.5, AMPEL 1 to 2)."
    )
    redder_than: float = Field(
        3.0, description="Redder in r - z the nearest source is a star, too (Fink 3)."
    )
    gaia_within_arcsec: float = Field(
        1.5, gt=0, description="Greatest distance of a source of Gaia that is no galaxy (Fink 1.5)."
    )
    gaia_brighter_than: float = Field(
        17.0, description="Faintest such source, G magnitude (Fink 15.5 to 17)."
    )
    template_brighter_than: float = Field(
        20.0, description="Faintest point in LSST's template that counts as a star, AB magnitude."
    )
    smallest_change: float = Field(
        0.2, gt=0, description="Change from which on it does not count as one, share of its flux."
    )


class VariableRule(_Rule):
    """Sources with a history that no transient has."""

    on: bool = Field(True, description="Decline what has varied again and again as variable.")
    sign_changes: int = Field(
        3, ge=1, description="Changes of sign in one band in 30 days that make a variable star."
    )
    nights_of_each_sign: int = Field(
        5, ge=1, description="So many nights with positive and with negative ones do, too."
    )
    after_days: float = Field(
        365.0,
        gt=0,
        description="A source of Gaia detected so much earlier varies (Fink 90 to 360).",
    )
    gaia_within_arcsec: float = Field(
        1.0, gt=0, description="Greatest distance of that source, which is no galaxy."
    )
    plane_degrees: float = Field(
        7.0,
        ge=0,
        le=90,
        description="Within this galactic latitude all that is so old varies (BTS 7).",
    )


class Rules(BaseModel):
    """One survey's rules; each is on unless the settings switch it off."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    solar_system: SolarSystemRule = SolarSystemRule()
    artefact: ArtefactRule = ArtefactRule()
    star: StarRule = StarRule()
    variable: VariableRule = VariableRule()

    def off(self) -> Self:
        """Switch all of them off."""
        return self.model_copy(
            update={
                name: getattr(self, name).model_copy(update={"on": False})
                for name in type(self).model_fields
            }
        )
