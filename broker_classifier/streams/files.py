"""Files, folders and a night's `.tar.gz` as source, and a JSON-lines file as sink."""

import tarfile
import time
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import IO, BinaryIO

import orjson

from broker_classifier.errors import ConfigError, DataError, DecodeError
from broker_classifier.streams.message import Message, Outgoing
from broker_classifier.surveys.avro import split_container

ARCHIVES = (".tar.gz", ".tgz", ".tar")
ALERT_SUFFIX = ".avro"


def alert_packets(paths: Iterable[Path]) -> Iterator[tuple[str, bytes]]:
    """Read alert packets from files, folders (every `.avro` and archive below) and archives.

    Archives are read as a stream, member by member, never unpacked to disk.

    Yields
    ------
    (str, bytes)
        Where a packet came from, and its bytes; a container of several records is split.

    Raises
    ------
    DataError
        If a path does not exist, cannot be read, or a folder holds no alerts.
    """
    for path in paths:
        for file in _files(path):
            try:
                yield from _packets_of_file(file)
            except (OSError, tarfile.TarError, EOFError) as error:
                reason = f"{file} cannot be read: {error}"
                raise DataError(reason) from error


def _files(path: Path) -> list[Path]:
    if not path.exists():
        reason = f"{path} does not exist; name a file, a folder or an archive of alerts"
        raise DataError(reason)
    if not path.is_dir():
        return [path]
    wanted = (ALERT_SUFFIX, *ARCHIVES)
    files = sorted(file for file in path.rglob("*") if file.name.endswith(wanted))
    if not files:
        reason = f"the folder {path} holds no {' or '.join(wanted)} file"
        raise DataError(reason)
    return files


def _packets_of_file(file: Path) -> Iterator[tuple[str, bytes]]:
    if file.name.endswith(ARCHIVES):
        with tarfile.open(file, mode="r|*") as archive:
            for member in archive:
                content = archive.extractfile(member) if member.isfile() else None
                if content is not None:
                    yield from _packets(f"{file}!{member.name}", content)
    else:
        with file.open("rb") as content:
            yield from _packets(str(file), content)


def _packets(origin: str, content: IO[bytes]) -> Iterator[tuple[str, bytes]]:
    whole = content.read()
    try:
        for packet in split_container(whole):
            yield origin, packet
    except DecodeError:
        yield origin, whole


class FileSource:
    """A `Source` over alert packets in files, in the order of their names."""

    def __init__(self, paths: Iterable[Path], survey: str, batch_size: int) -> None:
        self._packets = alert_packets(paths)
        self._survey = survey
        self._batch_size = batch_size
        self._n_read = 0
        self._is_exhausted = False

    @property
    def is_exhausted(self) -> bool:
        """Whether the last file has been read."""
        return self._is_exhausted

    def poll(self) -> list[Message]:
        """Read the next batch of packets."""
        now_ms = int(time.time() * 1000)
        batch = []
        for origin, packet in islice(self._packets, self._batch_size):
            batch.append(Message(packet, origin, 0, self._n_read, now_ms, self._survey))
            self._n_read += 1
        self._is_exhausted = len(batch) < self._batch_size
        return batch

    def commit(self, messages: Sequence[Message]) -> None:
        """Do nothing: files are read once."""

    def close(self) -> None:
        """Do nothing: every file is closed as soon as it is read."""


class JsonLinesSink:
    """A `Sink` that writes results to one JSON-lines file, and dead letters' headers to another.

    Of results with the same id header the last one stands in the file once it is closed.

    Parameters
    ----------
    output : Path
        Replaced if it exists.
    output_topic : str
        Messages to this topic are results; all others are dead letters.
    """

    def __init__(self, output: Path, output_topic: str) -> None:
        self._path = output
        self._output_topic = output_topic
        self._output = _open_for_writing(output)
        self._dead_letters = _open_for_writing(dead_letter_file(output))
        self._last_of_id: dict[str, int] = {}
        self._n_lines = 0

    def publish(self, messages: Iterable[Outgoing]) -> None:
        """Write every message before returning."""
        for message in messages:
            if message.topic == self._output_topic:
                self._last_of_id[message.headers["id"]] = self._n_lines
                self._n_lines += 1
                self._output.write(message.value + b"\n")
            else:
                self._dead_letters.write(orjson.dumps(message.headers) + b"\n")
        self._output.flush()
        self._dead_letters.flush()

    def close(self) -> None:
        """Close the files, superseded lines left out; no dead letters leave no file."""
        if self._output.closed:
            return
        self._output.close()
        self._dead_letters.close()
        if self._n_lines > len(self._last_of_id):
            self._drop_superseded()
        empty = dead_letter_file(self._path)
        if empty.stat().st_size == 0:
            empty.unlink()

    def _drop_superseded(self) -> None:
        standing = set(self._last_of_id.values())
        rewritten = self._path.with_name(self._path.name + ".part")
        with self._path.open("rb") as lines, rewritten.open("wb") as kept:
            kept.writelines(line for number, line in enumerate(lines) if number in standing)
        rewritten.replace(self._path)


def dead_letter_file(output: Path) -> Path:
    """Return where the dead letters of an output file are listed.

    >>> dead_letter_file(Path("night.jsonl")).name
    'night.dead-letters.jsonl'
    """
    return output.with_name(f"{output.stem}.dead-letters{output.suffix}")


def _open_for_writing(path: Path) -> BinaryIO:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return path.open("wb")
    except OSError as error:
        reason = f"{path} cannot be written: {error}; name another output file"
        raise ConfigError(reason) from error
