"""A model bundle: a folder that describes itself, checked completely before use.

bundle.json           what the model is and takes; unknown keys are refused
weights.safetensors   its weights, matched by sha256 and by shape
golden.json           light curves with the probabilities that they must give
README.md             its card, for people
members/              bundles of their own, where a blend joins what they say
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import BaseModel, ValidationError
from safetensors import SafetensorError
from safetensors.torch import load

from broker_classifier.errors import BundleError
from broker_classifier.light_curve import CurveBatch, LightCurve
from broker_classifier.light_curve.selection import Selection, select
from broker_classifier.model.architectures import ARCHITECTURES, Parts, build_network
from broker_classifier.model.blend_encoder import Member
from broker_classifier.model.bundle_files import Description, Golden, GoldenCase
from broker_classifier.model.calibration import calibrated_probabilities
from broker_classifier.model.encoder import Encoder
from broker_classifier.model.find_bundle import DESCRIPTION_FILE, find_bundle
from broker_classifier.model.networks import Network
from broker_classifier.model.prior import ClassPrior

GOLDEN_TOLERANCE = 1e-4
WEIGHTS_FILE = "weights.safetensors"
GOLDEN_FILE = "golden.json"
MEMBERS_FOLDER = "members"
ModelT = TypeVar("ModelT", bound=BaseModel)


@dataclass(frozen=True)
class Bundle:
    """A checked, loaded model. `hash` is the sha256 over weights and `bundle.json`.

    Its `members` are loaded bundles, in the order of the description.
    """

    description: Description
    network: Network
    hash: str
    members: tuple["Bundle", ...] = ()

    @property
    def name(self) -> str:
        """Name of the model, such as "ztf-transients"."""
        return self.description.name

    @property
    def version(self) -> str:
        """Version of the model."""
        return self.description.version

    @property
    def survey(self) -> str:
        """The survey whose alerts it takes."""
        return self.description.survey

    @property
    def classes(self) -> tuple[str, ...]:
        """Class names, in the order of the probabilities."""
        return self.description.classes

    @property
    def selection(self) -> Selection:
        """Which points it takes."""
        return self.description.selection

    @cached_property
    def state_key(self) -> int:
        """Tells its encoder states from those of other bundles: 32 bits of its hash, never 0."""
        return int(self.hash[:8], 16) or 1

    @cached_property
    def class_prior(self) -> ClassPrior:
        """The classes and their natural prior."""
        return ClassPrior(self.classes, np.array(self.description.calibration.prior))

    @cached_property
    def encoder(self) -> Encoder:
        """Its network, ready for the points that it takes."""
        members = [Member(m.encoder, m.description.calibration) for m in self.members]
        bands, model_input = self.selection.bands, self.description.input
        parts = Parts(self.network, bands, model_input, self.hash, members)
        return ARCHITECTURES[self.description.architecture].open_encoder(parts)


def load_bundle(name: str | Path) -> Bundle:
    """Read a bundle and check everything, its golden cases included.

    Parameters
    ----------
    name : str or path
        The folder of a bundle, or the name of a shipped one, such as "ztf-transients".

    Raises
    ------
    BundleError
        Says which file is wrong, how, and what to do; or which bundles there are.

    Examples
    --------
    >>> bundle = load_bundle("ztf-kilonovae")
    >>> bundle.survey, bundle.selection.bands, bundle.classes[-1]
    ('ztf', ('g', 'r'), 'KN')
    """
    folder = find_bundle(name)
    bundle = read_bundle(folder)
    _check_golden(folder / GOLDEN_FILE, bundle)
    return bundle


def read_bundle(folder: Path) -> Bundle:
    """Read description and weights and check that they belong together."""
    if not (folder / DESCRIPTION_FILE).exists():
        msg = f"{folder} is no bundle, it has no {DESCRIPTION_FILE}: name the folder of one"
        raise BundleError(msg)
    text = _read(folder / DESCRIPTION_FILE)
    description = _parsed(folder / DESCRIPTION_FILE, Description, text)
    weights = _read(folder / WEIGHTS_FILE)
    if hashlib.sha256(weights).hexdigest() != description.weights_sha256:
        raise _broken(folder / WEIGHTS_FILE, "its sha256 is not the one in bundle.json")
    network = build_network(description.architecture, dict(description.config))
    _load_weights(folder / WEIGHTS_FILE, network, weights)
    members = _read_members(folder, description)
    if len(members) != getattr(network.config, "n_members", 0):
        raise _broken(folder / DESCRIPTION_FILE, "it does not have the members that it counts")
    return Bundle(description, network, bundle_hash(weights, text), members)


def _read_members(folder: Path, description: Description) -> tuple[Bundle, ...]:
    members = []
    for name, expected_hash in description.members.items():
        member = read_bundle(folder / MEMBERS_FOLDER / name)
        if member.hash != expected_hash:
            raise _broken(folder / DESCRIPTION_FILE, f"its member {name} is another than it names")
        is_alike = member.classes == description.classes
        if not is_alike or member.selection != description.selection:
            complaint = f"its member {name} has other classes or takes other points"
            raise _broken(folder / DESCRIPTION_FILE, complaint)
        members.append(member)
    return tuple(members)


def bundle_hash(weights: bytes, description: bytes) -> str:
    """Hash what decides a classification, sha256 in hexadecimal."""
    return hashlib.sha256(weights + description).hexdigest()


def probabilities_of(curve: LightCurve, bundle: Bundle) -> NDArray[np.float64] | None:
    """Classify one light curve the plain way, unbatched; None without a usable point."""
    description, selection = bundle.description, bundle.selection
    used = CurveBatch.of([curve]).take(select(curve, selection).index)
    if not len(used.points):
        return None
    [n_points], [age_days] = used.lengths, used.age_days
    calibration = description.calibration
    if bundle.members:
        logits = bundle.encoder.encode(used).logits[0]
        return calibrated_probabilities(logits, n_points, age_days, calibration)
    inputs = description.input.build(used, selection.bands)  # (1, n_rows, C)
    with torch.inference_mode():
        logits, _ = bundle.network(torch.from_numpy(inputs))
    last = logits.reshape(-1, len(bundle.classes))[-1].numpy()  # (1, K) or (1, T, K) -> (K,)
    return calibrated_probabilities(last, n_points, age_days, calibration)


def _check_golden(path: Path, bundle: Bundle) -> None:
    golden = _parsed(path, Golden, _read(path))
    for case in golden.cases:
        difference = _golden_difference(path, case, bundle)
        if not difference <= GOLDEN_TOLERANCE:
            complaint = (
                f"case {case.name!r} is off by {difference:.1e}, {GOLDEN_TOLERANCE} is allowed"
            )
            raise _broken(path, complaint)


def _golden_difference(path: Path, case: GoldenCase, bundle: Bundle) -> float:
    try:
        probabilities = probabilities_of(case.curve(), bundle)
    except ValueError as error:
        raise _broken(path, f"case {case.name!r} is no light curve: {error}") from error
    if probabilities is None or len(probabilities) != len(case.probabilities):
        raise _broken(path, f"case {case.name!r} does not give {len(case.probabilities)} values")
    return float(np.abs(probabilities - case.probabilities).max())


def _load_weights(path: Path, network: Network, weights: bytes) -> None:
    try:
        tensors = load(weights)
        network.load_state_dict(tensors)
    except (SafetensorError, RuntimeError, ValueError) as error:
        first_lines = " ".join(str(error).split())[:300]
        complaint = f"not the weights of the architecture in bundle.json: {first_lines}"
        raise _broken(path, complaint) from error
    if not all(bool(torch.isfinite(t).all()) for t in tensors.values()):
        raise _broken(path, "some weights are not finite")


def _parsed(path: Path, model: type[ModelT], text: bytes) -> ModelT:
    try:
        return model.model_validate_json(text)
    except ValidationError as error:
        raise _broken(path, _first_complaints(error)) from error


def _first_complaints(error: ValidationError) -> str:
    complaints: Sequence[str] = [
        f"{'.'.join(str(part) for part in e['loc']) or 'file'}: {e['msg']}" for e in error.errors()
    ]
    return "; ".join(complaints[:5])


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise _broken(path, f"cannot be read ({error.strerror})") from error


def _broken(path: Path, complaint: str) -> BundleError:
    msg = (
        f"Bundle file {path}: {complaint}. Restore the folder from the repository, "
        "or train it again with `broker-classifier train`."
    )
    return BundleError(msg)
