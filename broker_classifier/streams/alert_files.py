"""Alert packets out of files, folders and archives, told apart by what is in them.

A file holds an Avro object container of one alert or thousands, one framed message, one bare Avro
body, or JSON: a row, an array of rows, or a row a line; itself, or compressed, or as the member of
a tar archive. Nothing is unpacked to disk, and only one file or line of rows is held in memory.
"""

import bz2
import gzip
import io
import json
import lzma
import re
import tarfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path

from broker_classifier.errors import DataError, DecodeError, UnreadableFileError
from broker_classifier.surveys.avro.split_container import split_container
from broker_classifier.surveys.loose_json import parse_json
from broker_classifier.surveys.recognise import is_container, is_framed, is_json, survey_of

TAR_SUFFIXES = (".tar", ".tgz", ".tbz2", ".txz", ".tar.gz", ".tar.bz2", ".tar.xz")
ALERT_SUFFIX = ".avro"
COMPRESSED_SUFFIXES = tuple(
    kind + packed
    for kind in (ALERT_SUFFIX, ".json", ".jsonl", ".ndjson")
    for packed in (".gz", ".bz2", ".xz")
)
WANTED_SUFFIXES = (ALERT_SUFFIX, *COMPRESSED_SUFFIXES, *TAR_SUFFIXES)

_HEAD_SIZE = 8192
_TAR_MAGIC = slice(257, 262)
_ROW_KEYS = re.compile(rb'"(objectid|dia(object|source)\w*)"\s*:', re.IGNORECASE)
_UNREADABLE = (OSError, tarfile.TarError, EOFError, zlib.error, lzma.LZMAError)
_LINES_TRIED = 2

_DECOMPRESSORS: dict[bytes, Callable[[io.BufferedReader], io.BufferedIOBase]] = {
    b"\x1f\x8b": lambda content: gzip.GzipFile(fileobj=content),
    b"BZh": bz2.BZ2File,
    b"\xfd7zXZ\x00": lzma.LZMAFile,
}


@dataclass(frozen=True)
class Packet:
    """One message out of a file.

    Attributes
    ----------
    origin : str
        The file; in an archive, the archive, "!" and the member.
    value : bytes
    survey : str or None
        Whose alert it is, where its bytes tell.
    error : UnreadableFileError or None
        Why nothing, or nothing more, can be read of `origin`; the value is then empty.
    """

    origin: str
    value: bytes
    survey: str | None
    error: UnreadableFileError | None = None


def alert_packets(paths: Iterable[Path], *, skip_unreadable: bool = False) -> Iterator[Packet]:
    """Read alert packets from files, archives, and folders: what in them looks like alerts.

    A file that is named, or is called `.avro`, gives at least one packet, so that a broken one is
    accounted for. JSON that is no row, such as results written to the same folder, is passed over.

    Parameters
    ----------
    paths : iterable of Path
    skip_unreadable : bool
        Give a packet with its `error` for a file that cannot be read, and go on with the next.

    Raises
    ------
    DataError
        A path does not exist, or a folder holds no alerts; or, without `skip_unreadable`, a file
        cannot be read.
    """
    for path in paths:
        for file in _files(path):
            for packet in _packets_of_file(file):
                if packet.error and not skip_unreadable:
                    raise DataError(str(packet.error)) from packet.error
                yield packet


def _files(path: Path) -> Iterator[Path]:
    if not path.exists() and not path.is_symlink():
        reason = f"{path} does not exist; name a file, a folder or an archive of alerts"
        raise DataError(reason)
    if not path.is_dir():
        yield path
        return
    is_empty = True
    for file in sorted(path.rglob("*")):
        if not file.is_dir() and _promises_alerts(file):
            is_empty = False
            yield file
    if is_empty:
        reason = f"the folder {path} holds no alerts: no Avro, no JSON and no archive of them"
        raise DataError(reason)


def _promises_alerts(file: Path) -> bool:
    """Tell whether a file in a folder may hold alerts; so may a file that cannot be opened."""
    if file.name.endswith(WANTED_SUFFIXES):
        return True
    if not (file.is_file() or file.is_symlink()):  # a pipe, a socket, a device
        return False
    try:
        with file.open("rb") as content:
            return _looks_like_alerts(_head(content))
    except OSError:
        return True


def _packets_of_file(file: Path) -> Iterator[Packet]:
    try:
        with file.open("rb") as content:
            yield from _packets(str(file), content)
    except _UNREADABLE as error:
        reason = f"{file} cannot be read: {_words(error)}"
        yield Packet(str(file), b"", None, UnreadableFileError(reason))


def _words(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error)


def _looks_like_alerts(head: bytes) -> bool:
    is_row = is_json(head) and _ROW_KEYS.search(head) is not None
    return is_container(head) or is_framed(head) or is_row


def _packets(origin: str, content: io.BufferedReader) -> Iterator[Packet]:
    head = _head(content)
    decompress = next((d for magic, d in _DECOMPRESSORS.items() if head.startswith(magic)), None)
    if decompress:
        with decompress(content) as plain:
            yield from _packets(origin, io.BufferedReader(plain, _HEAD_SIZE))
    elif head[_TAR_MAGIC] == b"ustar":
        yield from _packets_of_archive(origin, content)
    elif is_container(head):
        yield from _packets_of_container(origin, content.read())
    elif is_json(head):
        yield from (Packet(origin, row, survey_of(row)) for row in _rows(content))
    elif origin.endswith(TAR_SUFFIXES):  # one without members, or broken
        yield from _packets_of_archive(origin, content)
    else:
        whole = content.read()
        yield Packet(origin, whole, survey_of(whole))


def _packets_of_archive(origin: str, content: io.BufferedReader) -> Iterator[Packet]:
    with tarfile.open(fileobj=content, mode="r|") as archive:
        for member in archive:
            inside = archive.extractfile(member) if member.isfile() else None
            if isinstance(inside, io.BufferedReader) and (
                member.name.endswith(WANTED_SUFFIXES) or _looks_like_alerts(_head(inside))
            ):
                yield from _packets(f"{origin}!{member.name}", inside)


def _packets_of_container(origin: str, whole: bytes) -> Iterator[Packet]:
    survey = survey_of(whole)
    try:
        for packet in split_container(whole):
            yield Packet(origin, packet, survey)
    except DecodeError:
        yield Packet(origin, whole, survey)


def _rows(content: io.BufferedReader) -> Iterator[bytes]:
    """Read rows a line each where the first lines are rows by themselves, else all documents."""
    lines = (line for line in content if line.strip())
    first = list(islice(lines, _LINES_TRIED))
    if any(map(_is_object, first)):
        yield from (line.strip() for line in chain(first, lines))
    else:
        yield from _documents(b"".join(first) + content.read())


def _documents(whole: bytes) -> Iterator[bytes]:
    """Yield the text of every JSON document, or of every item if they stand in one array.

    From where the text is broken on, it comes as one piece.
    """
    text = whole.decode("utf-8-sig", errors="surrogateescape").strip()
    is_array = text.startswith("[")
    text = text.removeprefix("[").removesuffix("]") if is_array else text
    decoder, start = json.JSONDecoder(), 0
    while start < len(text):
        if text[start].isspace() or (is_array and text[start] == ","):
            start += 1
            continue
        try:
            _, end = decoder.raw_decode(text, start)
        except (ValueError, RecursionError):
            end = len(text)
        yield text[start:end].encode(errors="surrogateescape")
        start = end


def _is_object(line: bytes) -> bool:
    try:
        return isinstance(parse_json(line.removeprefix(b"\xef\xbb\xbf")), dict)
    except DecodeError:
        return False


def _head(content: io.BufferedReader) -> bytes:
    return content.peek(_HEAD_SIZE)[:_HEAD_SIZE]
