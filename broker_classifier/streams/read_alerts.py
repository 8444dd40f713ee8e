"""Read alerts from files in Python: `for alert in read_alerts("night.tar.gz")`."""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import groupby, islice
from pathlib import Path
from typing import Literal, NamedTuple

from broker_classifier.config import FRAMED_STREAM, SurveySettings
from broker_classifier.config.lasair import LasairSettings
from broker_classifier.errors import ConfigError, DecodeError, MessageError
from broker_classifier.streams.alert_files import Packet, alert_packets
from broker_classifier.surveys.alert import Alert, Decoder, checked
from broker_classifier.surveys.decoders import open_decoders

BATCH = 100  # packets at a time: decoding many is faster than one after another

OnError = Literal["raise", "skip"] | Callable[[MessageError], object]
StrPath = str | os.PathLike[str]


class _Numbered(NamedTuple):
    """A packet, and its number among those of its file, from 1."""

    packet: Packet
    number: int


def read_alerts(
    paths: StrPath | Iterable[StrPath],
    survey: str | None = None,
    schemas: StrPath | None = None,
    on_error: OnError = "raise",
) -> Iterator[Alert]:
    """Yield the alerts of files, folders and archives, of any survey, in the order of their names.

    What a file holds is told by its bytes: Avro containers, framed messages, rows of JSON, any of
    them compressed or in a tar archive; folders are searched. No more than a hundred alerts are
    held in memory.

    Parameters
    ----------
    paths : path, or iterable of paths
        Of files, folders or archives.
    survey : str, optional
        "ztf", "lsst", "elasticc" or "lasair": whose alerts those are whose bytes do not tell, as
        ELAsTiCC's bare Avro bodies.
    schemas : path, optional
        Folder of .avsc files, for messages that do not bring their schema: Rubin's framed ones, or
        those of `survey`.
    on_error : {"raise", "skip"} or callable
        What becomes of a message that is no usable alert, and of a file that cannot be read:
        "raise" ends the reading with the error, "skip" goes on with the next; a callable is given
        the error first.

    Yields
    ------
    Alert
        Also such as are not meant to be classified; their `decline` says why.

    Raises
    ------
    MessageError
        A message is no usable alert, or a file cannot be read. The error names the file, and the
        place of the message there.
    DataError
        A path does not exist, or is a folder without alerts.
    ConfigError
        There is no such survey, or the folder of schemas has none.

    Examples
    --------
    >>> import tempfile
    >>> from broker_classifier.demo.simulate.night import write_night
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     packets = write_night(Path(folder), n_objects=2, seed=3)
    ...     alerts = list(read_alerts(folder))
    >>> len(alerts) == len(packets)
    True
    >>> sorted({alert.object_id for alert in alerts})
    ['ZTF26simaaaa', 'ZTF26simaaab']
    """
    decoders = _decoders(survey, schemas)
    packets = alert_packets(_as_paths(paths), skip_unreadable=True)
    return _alerts(_decoded(_numbered(packets), decoders, survey), on_error)


def _as_paths(paths: StrPath | Iterable[StrPath]) -> list[Path]:
    return [Path(p) for p in ([paths] if isinstance(paths, str | os.PathLike) else paths)]


def _decoders(survey: str | None, schemas: StrPath | None) -> Mapping[str, Decoder]:
    folder = None if schemas is None else Path(schemas)
    settings = {survey or FRAMED_STREAM: SurveySettings(schemas=folder)}
    decoders = open_decoders(settings, LasairSettings())
    if survey is not None and survey not in decoders:
        msg = f"there is no survey {survey!r}: give one of {', '.join(decoders)}"
        raise ConfigError(msg)
    return decoders


def _numbered(packets: Iterable[Packet]) -> Iterator[_Numbered]:
    for _, of_file in groupby(packets, key=lambda packet: packet.origin):
        for number, packet in enumerate(of_file, start=1):
            yield _Numbered(packet, number)


def _decoded(
    packets: Iterator[_Numbered], decoders: Mapping[str, Decoder], survey: str | None
) -> Iterator[Alert | MessageError]:
    """Decode neighbours of the same survey together."""
    while batch := list(islice(packets, BATCH)):
        for whose, neighbours in groupby(batch, key=lambda p: p.packet.survey or survey):
            same = list(neighbours)
            decoded = _decode([p.packet.value for p in same], decoders, whose)
            yield from map(_placed, decoded, same)


def _decode(
    messages: Sequence[bytes], decoders: Mapping[str, Decoder], survey: str | None
) -> list[Alert | MessageError]:
    if survey is None:
        reason = "its bytes do not tell whose alert it is; give its survey, such as 'elasticc'"
        return [DecodeError(reason)] * len(messages)
    return [checked(decoded) for decoded in decoders[survey](messages)]


def _placed(decoded: Alert | MessageError, place: _Numbered) -> Alert | MessageError:
    """Name the place of a message in its error."""
    if place.packet.error or isinstance(decoded, Alert):
        return place.packet.error or decoded
    return type(decoded)(f"alert {place.number} of {place.packet.origin}: {decoded}")


def _alerts(decoded: Iterable[Alert | MessageError], on_error: OnError) -> Iterator[Alert]:
    for alert in decoded:
        if isinstance(alert, Alert):
            yield alert
        elif on_error == "raise":
            raise alert
        elif on_error != "skip":
            on_error(alert)
