"""The tables of a training recipe; `recipe` puts them together."""

from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

ZTF_LOG_FLUX = tuple(round(3.6 + 0.2 * i, 1) for i in range(17))
_STRICT = ConfigDict(frozen=True, extra="forbid")


class HomogenisationRecipe(BaseModel):
    """How light curves from elsewhere get the look of the survey's.

    Attributes
    ----------
    alert_sources : tuple of str
        Values of `source_repo` (or names of data folders) whose points are as the survey has them,
        but for objects that the set says are forced photometry.
    threshold_class : str or None
        A class with objects in both alerts and forced photometry, by which is fitted what becomes
        an alert.
    detection_snr : float or None
        A sharp threshold instead, for data that hold every visit: points of this |SNR| are
        detections, those below are forced photometry. One of the two must be given.
    scatter_fraction : float
        Real scatter over the quoted error.
    log_flux : tuple of float
        log10 of fluxes (nJy), ascending, at which the errors are described.
    visits_of : tuple of str
        Alert sources at whose visits the objects of other sources are observed again.
    seen_again : tuple of str
        Alert sources whose training objects count a second time, as seen at those visits.
    alerts_only : tuple of str
        Classes of which only objects seen in alerts train and validate: so that the provenance
        gate can ask what the network makes of their forced photometry, which it never met.
    n_draws : int
        So many times is each training object that is not from alerts homogenised, as if other
        visits had seen it.
    unsigned_sources
        As in `Homogenisation`.
    """

    model_config = _STRICT

    alert_sources: tuple[str, ...]
    threshold_class: str | None = None
    detection_snr: float | None = Field(None, gt=0)
    scatter_fraction: float = Field(0.55, ge=0)
    log_flux: tuple[float, ...] = Field(ZTF_LOG_FLUX, min_length=2)
    visits_of: tuple[str, ...] = ()
    seen_again: tuple[str, ...] = ()
    alerts_only: tuple[str, ...] = ()
    n_draws: int = Field(1, ge=1)
    unsigned_sources: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _has_one_threshold(self) -> Self:
        if (self.threshold_class is None) == (self.detection_snr is None):
            msg = "give either threshold_class or detection_snr"
            raise ValueError(msg)
        return self


class Augmentation(BaseModel):
    """How light curves are varied in training; each is left alone with the remaining probability.

    Attributes
    ----------
    scale_probability : float
        Of changing the flux by a factor e^x, x uniform in [ln_dimmest, ln_brightest], with new
        errors and scatter, and points lost below the alerts' threshold.
    dilation_per_ln : float
        Dimmed light curves are stretched in time by up to this, per unit of -x (they are farther).
    stretch : float
        Scatter of ln(stretch).
    drop_probability : float
        Of dropping points, each with one of `drop_fractions`.
    hard_cut_probability : float
        Of keeping only points of quoted |SNR| >= 5, so that no class is told by those below.
    fewer_visits_probability : float
        Of keeping only nights that are as far apart as one of `visit_gaps`, as a slower survey's.
    visit_gaps : tuple of int
        Nights.
    late_start_classes : tuple of str
        Variable sources without a beginning: half of the time seen from a random point on.
    late_start_probability : float
        Of forgetting the first points of any light curve, as when a broker starts too late.
    kept_bands : tuple of str
        Such as "griz": bands that a survey or an object may be limited to.
    kept_bands_probability : float
        Of keeping only one of them.
    """

    model_config = _STRICT

    scale_probability: float = 0.7
    ln_dimmest: float = -0.9
    ln_brightest: float = 0.35
    dilation_per_ln: float = 0.12
    stretch: float = 0.05
    drop_probability: float = 0.6
    drop_fractions: tuple[float, ...] = (0.1, 0.25, 0.5)
    hard_cut_probability: float = 0.3
    fewer_visits_probability: float = 0.0
    visit_gaps: tuple[int, ...] = (2, 3, 4)
    late_start_classes: tuple[str, ...] = ("AGN",)
    late_start_probability: float = 0.0
    kept_bands: tuple[str, ...] = ()
    kept_bands_probability: float = 0.0


class Optimisation(BaseModel):
    """AdamW under a one-cycle learning rate.

    Attributes
    ----------
    epochs, batch, learning_rate, weight_decay
    class_weight_exponent : float
        A class of frequency f counts f^-exponent in all: by drawing its objects more often with
        f^-oversampling_exponent, and by a weight in the loss for the rest.
    oversampling_exponent : float
    prefix_decay : float
        The n-th prefix counts n^-decay in every light curve, short or long: so at each n the
        class frequencies are those of the objects, and the prior correction is exact.
    share_by_days : float
        Of the weight of prefixes, the part that they get by the time for which they are all that is
        known (`prefix_weights.day_weights`) instead: then the network answers for an object seen
        at any day, not at a detection.
    balance_sources : bool
        Weigh each source's classes alike, so that the source says less about the class.
    averaging_epochs : float
        Keep the running mean of the weights, over about so many epochs; 0: the weights themselves.
    kept_epoch : "best" or "last"
        Which weights the bundle gets: the best by validation score, which some hundred objects
        make a matter of luck, or the last.
    """

    model_config = _STRICT

    epochs: int = Field(30, gt=0)
    batch: int = Field(128, gt=0)
    learning_rate: float = Field(2e-3, gt=0)
    weight_decay: float = 1e-3
    class_weight_exponent: float = Field(0.5, ge=0, le=1)
    oversampling_exponent: float = Field(0.0, ge=0, le=1)
    prefix_decay: float = Field(0.5, ge=0, le=1)
    share_by_days: float = Field(0.0, ge=0, le=1)
    balance_sources: bool = False
    averaging_epochs: float = Field(0.0, ge=0)
    kept_epoch: Literal["best", "last"] = "best"


class Trees(BaseModel):
    """Boosted trees, fitted by LightGBM; only the architecture `boosted_trees` reads it.

    Attributes
    ----------
    rounds : int
        Of boosting: one tree a class in each.
    models : int
        So many are fitted, on other draws of rows and features, and answer by their mean.
    learning_rate : float
    leaves, depth : int
        At most, of one tree.
    min_rows_of_leaf : int
    feature_fraction, row_fraction : float
        Drawn anew for every tree and every round.
    l2 : float
        Penalty on the leaves.
    rows : int
        About so many rows are drawn for the training, heavy ones first.
    variations : float
        A class of frequency f gets variations * f^-1/2 varied light curves an object.
    """

    model_config = _STRICT

    rounds: int = Field(120, gt=0)
    models: int = Field(2, gt=0)
    learning_rate: float = Field(0.08, gt=0)
    leaves: int = Field(20, ge=2)
    depth: int = Field(6, ge=1)
    min_rows_of_leaf: int = Field(40, gt=0)
    feature_fraction: float = Field(0.25, gt=0, le=1)
    row_fraction: float = Field(0.7, gt=0, le=1)
    l2: float = Field(10.0, ge=0)
    rows: int = Field(120_000, gt=0)
    variations: float = Field(1.5, ge=0)


class Card(BaseModel):
    """What the model card says beside its figures.

    Attributes
    ----------
    about : str
        One paragraph.
    limits : tuple of str
        One sentence or two each.
    provenance_class : str
        A class that comes from several sources, to compare them; none if empty.
    """

    model_config = _STRICT

    about: str
    limits: tuple[str, ...] = Field(min_length=1)
    provenance_class: str = ""
