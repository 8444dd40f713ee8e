"""Drawing why a bundle says what it says of one object."""

import re
from pathlib import Path

from broker_classifier.errors import ConfigError
from broker_classifier.light_curve import LightCurve
from broker_classifier.model.bundle import load_bundle
from broker_classifier.training.judge.explanation import explanation_of
from broker_classifier.training.report.plots.explanation import explanation_figure
from broker_classifier.training.report.plots.style import save

SUFFIXES = (".png", ".pdf", ".svg")


def explain(
    name: str,
    curve: LightCurve,
    bundle_path: Path,
    output: Path | None = None,
    label: str = "",
    at_mjd: float | None = None,
    *,
    with_input: bool = False,
) -> str:
    """Draw a picture, by default a PNG named after the object; return a line that sums it up.

    Parameters
    ----------
    output : Path, optional
        A .png, .pdf or .svg file, or a folder for a .png file.
    label : str
        What the object is known to be; "" if it is unknown.
    at_mjd : float, optional
        When the answer is asked for, as in `classify`; at the last point if not given.
    with_input : bool
        Draw also what the network gets.

    Raises
    ------
    BundleError, ConfigError, DataError
        The bundle cannot be used, the file not be written, or no point of the light curve counts.
    """
    title = f"{name}, labelled {label}" if label else name
    explained = explanation_of(title, curve, load_bundle(bundle_path), at_mjd)
    path = output or Path()
    path = path / file_name(name) if path.is_dir() else path
    if path.suffix.lower() not in SUFFIXES:
        msg = f"{path} is no {' or '.join(SUFFIXES)} file: name one with --output"
        raise ConfigError(msg)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        save(explanation_figure(explained, with_input=with_input), path)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        msg = f"{path} cannot be written ({reason}): name another with --output"
        raise ConfigError(msg) from error
    return f"{explained.sentence()}, drawn in {path}"


def file_name(object_id: str) -> str:
    """Name a picture after an object.

    >>> file_name("AT 2018/x"), file_name("ZTF21abiuvdk")
    ('AT_2018_x.png', 'ZTF21abiuvdk.png')
    """
    return re.sub(r"[^\w.+-]", "_", object_id) + ".png"
