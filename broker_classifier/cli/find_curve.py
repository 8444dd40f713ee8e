"""The light curve of one object, wherever a person has it: alerts, results, a store, a data set."""

from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import NamedTuple, get_args

from pydantic import ValidationError

from broker_classifier.config import USUAL_STREAM, Settings, Stream
from broker_classifier.errors import ConfigError, DataError, MessageError
from broker_classifier.light_curve import Kind, LightCurve, band_indices, curve_from_arrays
from broker_classifier.model.bundle import Bundle, read_bundle
from broker_classifier.progress import Track, untracked
from broker_classifier.service.open_reader import open_reader
from broker_classifier.streams.alert_files import alert_packets
from broker_classifier.streams.classification import ClassificationMessage, parse
from broker_classifier.surveys.alert import checked
from broker_classifier.surveys.decoders import open_decoders
from broker_classifier.training.data.labelled_objects import preferred_objects, read_objects
from broker_classifier.training.homogenise.examples import main_episode
from broker_classifier.training.homogenise.homogenisation import homogenised, read_homogenisation

NAMED_AT_MOST = 5


class ObjectCurve(NamedTuple):
    """The light curve of an object, and whose object it is."""

    object_id: str
    survey: str
    curve: LightCurve


def find_curve(
    target: str,
    survey: Stream | None,
    settings: Settings,
    wanted: str | None = None,
    track: Track = untracked,
    alert_id: int | None = None,
) -> ObjectCurve:
    """Read the light curve of one object, out of a file or of the store.

    Parameters
    ----------
    target : str
        A file, folder or archive of alerts, a JSON-lines file of classifications; or the id of an
        object in the store. A service may have the store open.
    survey : str or None
        Whose object it is, and whose alerts those are whose bytes do not tell. None looks in the
        store for an object of any survey, and takes such alerts for ZTF's.
    settings : Settings
    wanted : str, optional
        Which object of a file with several.
    track : Track
        Shows how many alerts were read.
    alert_id : int, optional
        The light curve as it was known at this alert.

    Raises
    ------
    ConfigError, DataError
        There is no such file, store, object or alert, or nothing of it can be read.
    """
    path = Path(target)
    if not path.exists():
        return _of_store(target, survey, settings, alert_id)
    in_file = _of_results(path, alert_id)
    in_file = in_file or _of_alerts(path, survey or USUAL_STREAM, settings, track, alert_id)
    return _only_one(in_file, wanted)


def _of_store(
    object_id: str, survey: Stream | None, settings: Settings, alert_id: int | None
) -> ObjectCurve:
    store, surveys = settings.store.path, [survey] if survey else list(get_args(Stream))
    try:
        with closing(open_reader(settings.store)) as reader:
            records = reader.read([f"{name}:{object_id}" for name in surveys])
    except ConfigError as error:
        path = str(settings.store.path)
        absent = (
            f"no light-curve store {path} that could have an object of this name: name a file, "
            "set store.path, or give a labelled set with --data"
        )
        is_there = "://" in store or store == "memory" or Path(store).exists()
        msg = f"there is no file {object_id}, and {error if is_there else absent}"
        raise DataError(msg) from error
    for name, record in zip(surveys, records, strict=True):
        if len(record.curve):
            answered = dict(record.answered[["alert_id", "mjd"]].tolist())
            return ObjectCurve(object_id, name, _as_known_at(record.curve, answered, alert_id))
    kind = f"{survey} object" if survey else "object"
    msg = (
        f"{object_id} is no file, and the light-curve store {store} has no {kind} of this name: "
        "name a file, an object of the store, or with --data one of a labelled set"
    )
    raise DataError(msg)


def _as_known_at(
    curve: LightCurve, mjd_of_alert: Mapping[int, float], alert_id: int | None
) -> LightCurve:
    if alert_id is None:
        return curve
    if alert_id not in mjd_of_alert:
        raise _no_such_alert(alert_id, f"the object has {len(mjd_of_alert)} alerts")
    return curve.until(mjd_of_alert[alert_id])


def _no_such_alert(alert_id: int | None, there_are: str) -> DataError:
    return DataError(f"{there_are}, none of which is {alert_id}: give the alert_id of one")


def labelled_curve(
    data_folder: Path, object_id: str, bundle_folder: Path
) -> tuple[str, ObjectCurve]:
    """Read a light curve from a labelled set, as `evaluate` judges it.

    It is made to look like alerts as for the bundle, and ends with the episode that is judged.

    Returns
    -------
    label, object_curve

    Raises
    ------
    BundleError, DataError
        Bundle or set cannot be read, or the set has no such object of the bundle's classes.
    """
    bundle = read_bundle(bundle_folder)
    objects = read_objects(data_folder, bundle.classes)
    same = [o for o in objects if object_id in (o.object_id, o.canonical_id)]
    if not same:
        msg = (
            f"{data_folder} has no object {object_id} of {', '.join(bundle.classes)}, the classes "
            "of the bundle: look for it in objects.csv, or give another --bundle"
        )
        raise DataError(msg)
    by_own_name = [o for o in same if o.object_id == object_id]
    (labelled,) = preferred_objects(by_own_name or same)
    (curve,) = homogenised([labelled], read_homogenisation(bundle_folder))
    return labelled.label, ObjectCurve(object_id, bundle.survey, _until_judged(curve, bundle))


def _until_judged(curve: LightCurve, bundle: Bundle) -> LightCurve:
    judged = main_episode(curve, bundle.selection)
    return curve.until(float(judged.mjd[-1])) if len(judged) else curve


def _only_one(curves: Mapping[str, ObjectCurve], wanted: str | None) -> ObjectCurve:
    if wanted is None and len(curves) == 1:
        return next(iter(curves.values()))
    if wanted is not None and wanted in curves:
        return curves[wanted]
    first = ", ".join(sorted(curves)[:NAMED_AT_MOST])
    more = f" and {len(curves) - NAMED_AT_MOST} more" if len(curves) > NAMED_AT_MOST else ""
    asked = "name one with --object" if wanted is None else f"{wanted} is not among them"
    msg = f"The file has {len(curves)} objects ({first}{more}): {asked}"
    raise DataError(msg)


def _of_results(path: Path, alert_id: int | None) -> dict[str, ObjectCurve]:
    """Read the newest classification of every object, or one alert's; nothing of other files."""
    newest: dict[str, ClassificationMessage] = {}
    n_messages = 0
    if not path.is_file():
        return {}
    with path.open("rb") as lines:
        for number, line in enumerate(lines, start=1):
            try:
                message = parse(line)
            except ValidationError as error:
                if number == 1:
                    return {}
                msg = f"Line {number} of {path} is no classification: remove it, or write it anew"
                raise DataError(msg) from error
            before = newest.get(message.object_id)
            is_asked_for = alert_id in (None, message.alert_id)
            n_messages += 1
            if is_asked_for and (before is None or message.mjd >= before.mjd):
                newest[message.object_id] = message
    if n_messages and not newest:
        raise _no_such_alert(alert_id, f"{path} has {n_messages} answers")
    return {
        name: ObjectCurve(name, message.survey, _curve_of(message))
        for name, message in newest.items()
    }


def _curve_of(message: ClassificationMessage) -> LightCurve:
    points = message.light_curve
    return curve_from_arrays(
        [p.mjd for p in points],
        [float("nan") if p.psf_flux is None else p.psf_flux for p in points],
        [p.psf_flux_err for p in points],
        band_indices([p.band for p in points]),
        [Kind[p.kind.upper()] for p in points],
    )


def _of_alerts(
    path: Path, survey: str, settings: Settings, track: Track, alert_id: int | None
) -> dict[str, ObjectCurve]:
    decoders = open_decoders(settings.surveys, settings.lasair)
    curves: dict[str, ObjectCurve] = {}
    mjd_of_alert: dict[str, dict[int, float]] = {}
    reason = "it holds no alert"
    for packet in track(alert_packets([path]), "alerts"):
        (alert,) = map(checked, decoders[packet.survey or survey]([packet.value]))
        if isinstance(alert, MessageError):
            reason = str(alert)
            continue
        before = curves.get(alert.object_id)
        curve = before.curve.merge(alert.curve) if before else alert.curve
        curves[alert.object_id] = ObjectCurve(alert.object_id, alert.survey, curve)
        mjd_of_alert.setdefault(alert.object_id, {})[alert.alert_id] = alert.mjd
    if not curves:
        msg = f"No light curve can be read from {path}: {reason}"
        raise DataError(msg)
    if alert_id is None:
        return curves
    if not any(alert_id in of_object for of_object in mjd_of_alert.values()):
        n_alerts = sum(map(len, mjd_of_alert.values()))
        raise _no_such_alert(alert_id, f"{path} has {n_alerts} alerts")
    return {
        name: of_object._replace(curve=_as_known_at(of_object.curve, mjd_of_alert[name], alert_id))
        for name, of_object in curves.items()
        if alert_id in mjd_of_alert[name]
    }
