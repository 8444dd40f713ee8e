"""One message of the topic as the index takes it: read leniently, its points packed in arrays.

A message of an older or a newer broker is as welcome: the model below names only what the index
needs, and what the schema's version 2 brought may be missing.
"""

import zlib
from dataclasses import dataclass
from typing import Any, get_args

import numpy as np
import orjson
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, FiniteFloat

from broker_classifier.streams.classification import ModelMessage, PointMessage

BANDS: tuple[str, ...] = get_args(PointMessage.model_fields["band"].annotation)
KINDS: tuple[str, ...] = get_args(PointMessage.model_fields["kind"].annotation)
BAND_CODE = {band: code for code, band in enumerate(BANDS)}
KIND_CODE = {kind: code for code, kind in enumerate(KINDS)}
POINTS = np.dtype(
    [("mjd", "f8"), ("psf_flux", "f8"), ("psf_flux_err", "f8"), ("band", "u1"), ("kind", "u1")]
)
LEAST_INTEGER, LARGEST_INTEGER = -(2**63), 2**63 - 1  # of a column of SQLite
_LEVEL = 1


class Answer(BaseModel):
    """What the index reads of a published message."""

    model_config = ConfigDict(extra="ignore", frozen=True, populate_by_name=True)

    id: str
    survey: str
    object_id: str
    alert_id: int
    mjd: FiniteFloat
    ra: FiniteFloat | None = None
    dec: FiniteFloat | None = Field(None, ge=-90, le=90)
    top_class: str = Field(alias="class")
    probability: FiniteFloat
    probabilities: dict[str, FiniteFloat]
    n_points_used: int = Field(0, ge=0, le=LARGEST_INTEGER)
    light_curve: list[PointMessage]
    model: ModelMessage
    information_bits: FiniteFloat | None = None
    curve_version: int | None = Field(None, ge=LEAST_INTEGER, le=LARGEST_INTEGER)


@dataclass(frozen=True, eq=False)
class Published:
    """One message, unpacked.

    Attributes
    ----------
    answer : Answer
    packed : bytes
        The message without its light curve: JSON, compressed.
    points : structured array of `POINTS`, shape (n,)
        An upper limit's flux is NaN.
    attention : float32 array, shape (n,)
        NaN where the message has null.
    rejected : list of str or None, length n
        Why each point was not used.
    """

    answer: Answer
    packed: bytes
    points: NDArray[np.void]
    attention: NDArray[np.float32]
    rejected: list[str | None]


def published(value: bytes) -> Published:
    """Read one message.

    Raises
    ------
    ValueError
        If it is no classification; pydantic's and orjson's errors are of this kind.
    """
    content = orjson.loads(value)
    answer = Answer.model_validate(content, strict=True)  # so that what is kept is what was checked
    curve = answer.light_curve
    del content["light_curve"]
    points = np.array(
        [
            (p.mjd, _number(p.psf_flux), p.psf_flux_err, BAND_CODE[p.band], KIND_CODE[p.kind])
            for p in curve
        ],
        dtype=POINTS,
    )
    attention = np.array([_number(p.attention) for p in curve], dtype=np.float32)
    return Published(answer, packed(content), points, attention, [p.rejected for p in curve])


def packed(content: dict[str, Any]) -> bytes:
    """Write a message's content small."""
    return zlib.compress(orjson.dumps(content), _LEVEL)


def unpacked(blob: bytes) -> dict[str, Any]:
    """Read what `packed` wrote."""
    content: dict[str, Any] = orjson.loads(zlib.decompress(blob))
    return content


def _number(value: float | None) -> float:
    return np.nan if value is None else value
