"""The light curve of one object, wherever a person has it: alerts, results, a store, a data set."""

from collections.abc import Mapping
from pathlib import Path

from pydantic import ValidationError

from broker_classifier.bundle import read_bundle
from broker_classifier.config import Settings
from broker_classifier.errors import ConfigError, DataError, MessageError
from broker_classifier.light_curve import Kind, LightCurve, bands, light_curve
from broker_classifier.schemas.classification import ClassificationMessage, parse
from broker_classifier.store import read_beside
from broker_classifier.streams.packets import alert_packets
from broker_classifier.surveys.alert import checked
from broker_classifier.surveys.decoders import open_decoders
from broker_classifier.training.homogenise import homogenised, read_homogenisation
from broker_classifier.training.objects import read_objects

NAMED_AT_MOST = 5


def find_curve(
    target: str, survey: str, settings: Settings, wanted: str | None = None
) -> tuple[str, LightCurve]:
    """Read the light curve of one object, out of a file or of the store.

    Parameters
    ----------
    target : str
        A file, folder or archive of alerts, a JSON-lines file of classifications; or the id of an
        object in the store. A service may have the store open.
    survey : str
        Whose object it is, and whose alerts those are whose bytes do not tell.
    settings : Settings
    wanted : str, optional
        Which object of a file with several.

    Returns
    -------
    object id, light curve

    Raises
    ------
    ConfigError, DataError
        There is no such file, store or object, or nothing of it can be read.
    """
    path, store = Path(target), Path(settings.store.path)
    if path.exists():
        return _only_one(_of_results(path) or _of_alerts(path, survey, settings), wanted)
    try:
        (record,) = read_beside(store, [f"{survey}:{target}"])
    except ConfigError as error:
        msg = f"{target} is no file, and {error}"
        raise DataError(msg) from error
    if not len(record.curve):
        msg = (
            f"{target} is no file, and the light-curve store {store} has no {survey} object of "
            "this name: name a file, an object of the store, or with --data one of a labelled set"
        )
        raise DataError(msg)
    return target, record.curve


def labelled_curve(data_folder: Path, object_id: str, bundle_folder: Path) -> LightCurve:
    """Read a light curve from a labelled set, made to look like alerts as for the bundle.

    Raises
    ------
    BundleError, DataError
        Bundle or set cannot be read, or the set has no such object of the bundle's classes.
    """
    classes = read_bundle(bundle_folder).classes
    objects = read_objects(data_folder, classes)
    curves = homogenised(objects, read_homogenisation(bundle_folder))
    for labelled, curve in zip(objects, curves, strict=True):
        if object_id in (labelled.object_id, labelled.canonical_id):
            return curve
    msg = f"{data_folder} has no object {object_id} of a class that the bundle knows"
    raise DataError(msg)


def _only_one(curves: Mapping[str, LightCurve], wanted: str | None) -> tuple[str, LightCurve]:
    if wanted is None and len(curves) == 1:
        return next(iter(curves.items()))
    if wanted is not None and wanted in curves:
        return wanted, curves[wanted]
    first = ", ".join(sorted(curves)[:NAMED_AT_MOST])
    more = f" and {len(curves) - NAMED_AT_MOST} more" if len(curves) > NAMED_AT_MOST else ""
    asked = "name one with --object" if wanted is None else f"{wanted} is not among them"
    msg = f"The file has {len(curves)} objects ({first}{more}): {asked}"
    raise DataError(msg)


def _of_results(path: Path) -> dict[str, LightCurve]:
    """Read the newest classification of every object; nothing from anything else."""
    newest: dict[str, ClassificationMessage] = {}
    if not path.is_file():
        return {}
    with path.open("rb") as lines:
        for line in lines:
            try:
                message = parse(line)
            except ValidationError:
                break
            known = newest.get(message.object_id)
            if known is None or message.mjd >= known.mjd:
                newest[message.object_id] = message
    return {name: _curve_of(message) for name, message in newest.items()}


def _curve_of(message: ClassificationMessage) -> LightCurve:
    points = message.light_curve
    return light_curve(
        [p.mjd for p in points],
        [float("nan") if p.psf_flux is None else p.psf_flux for p in points],
        [p.psf_flux_err for p in points],
        bands([p.band for p in points]),
        [Kind[p.kind.upper()] for p in points],
    )


def _of_alerts(path: Path, survey: str, settings: Settings) -> dict[str, LightCurve]:
    decoders = open_decoders(settings.surveys, settings.lasair)
    curves: dict[str, LightCurve] = {}
    reason = "it holds no alert"
    for packet in alert_packets([path]):
        (alert,) = map(checked, decoders[packet.survey or survey]([packet.value]))
        if isinstance(alert, MessageError):
            reason = str(alert)
        elif alert.object_id in curves:
            curves[alert.object_id] = curves[alert.object_id].merge(alert.curve)
        else:
            curves[alert.object_id] = alert.curve
    if not curves:
        msg = f"No light curve can be read from {path}: {reason}"
        raise DataError(msg)
    return curves
