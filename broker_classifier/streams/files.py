"""Files, folders and a night's `.tar.gz` as source, and a JSON-lines file as sink."""

import time
from collections.abc import Iterable, Sequence
from itertools import chain, islice
from pathlib import Path
from typing import BinaryIO

import orjson

from broker_classifier.errors import ConfigError
from broker_classifier.progress import Track, untracked
from broker_classifier.streams.alert_files import alert_packets
from broker_classifier.streams.message import Message, Outgoing


class FileSource:
    """A `Source` over alert packets in files, in the order of their names.

    Parameters
    ----------
    paths : iterable of Path
    survey : str
        Whose alerts those are whose bytes do not tell.
    batch_size : int
    track : Track
        Shows how many packets were read.

    Raises
    ------
    DataError
        The first path does not exist, or is a folder without alerts.
    """

    def __init__(
        self, paths: Iterable[Path], survey: str, batch_size: int, track: Track = untracked
    ) -> None:
        packets = alert_packets(paths, skip_unreadable=True)
        first = list(islice(packets, 1))
        self._packets = track(chain(first, packets), "alerts")
        self._survey = survey
        self._batch_size = batch_size
        self._n_read = 0
        self._is_exhausted = False

    @property
    def is_exhausted(self) -> bool:
        """Whether the last file has been read."""
        return self._is_exhausted

    def poll(self, *, wait: bool = True) -> list[Message]:
        """Read the next batch of packets."""
        now_ms = int(time.time() * 1000)
        batch = []
        for packet in islice(self._packets, self._batch_size):
            survey = packet.survey or self._survey
            batch.append(
                Message(packet.value, packet.origin, 0, self._n_read, now_ms, survey, packet.error)
            )
            self._n_read += 1
        self._is_exhausted = len(batch) < self._batch_size
        return batch

    @property
    def address(self) -> str:
        """What it is."""
        return "files"

    @property
    def is_connected(self) -> bool:
        """Files always answer."""
        return True

    @property
    def connections(self) -> dict[str, bool]:
        """Nothing: a file is no connection."""
        return {}

    @property
    def lags(self) -> dict[str, int]:
        """Nothing: how many messages files have is not known before they are read."""
        return {}

    def rewind(self) -> None:
        """Do nothing: files are read once."""

    def commit(self, messages: Sequence[Message]) -> None:
        """Do nothing: files are read once."""

    def close(self) -> None:
        """Do nothing: every file is closed as soon as it is read."""


class JsonLinesSink:
    """A `Sink` that writes results to a JSON-lines file, and to files beside it what gave none.

    Of results with the same id header the last one stands in the file once it is closed.

    Parameters
    ----------
    output : Path
        Replaced if it exists.
    output_topic, declined_topic : str
        Messages to these topics are results and declined alerts; all others are dead letters.
    """

    def __init__(self, output: Path, output_topic: str, declined_topic: str) -> None:
        self._path = output
        self._output_topic, self._declined_topic = output_topic, declined_topic
        self._output = _open_for_writing(output)
        self._declined = _open_for_writing(declined_file(output))
        self._dead_letters = _open_for_writing(dead_letter_file(output))
        self._last_of_id: dict[str, int] = {}
        self._n_lines = 0

    def send(self, messages: Iterable[Outgoing], consumed: Sequence[Message]) -> None:
        """Write messages; of dead letters, whose bytes stand in a file already, the headers."""
        for message in messages:
            if message.topic == self._output_topic:
                self._last_of_id[message.headers["id"]] = self._n_lines
                self._n_lines += 1
                self._output.write(message.value + b"\n")
            elif message.topic == self._declined_topic:
                self._declined.write(message.value + b"\n")
            else:
                self._dead_letters.write(orjson.dumps(message.headers) + b"\n")

    def confirm(self) -> None:
        """Return when all that was written can be read."""
        for file in (self._output, self._declined, self._dead_letters):
            file.flush()

    def abandon(self) -> None:
        """Do nothing: what was written stays."""

    def close(self) -> None:
        """Close the files, superseded lines left out; where there is nothing to tell, no file."""
        if self._output.closed:
            return
        for file in (self._output, self._declined, self._dead_letters):
            file.close()
        if self._n_lines > len(self._last_of_id):
            self._drop_superseded()
        for beside in (declined_file(self._path), dead_letter_file(self._path)):
            if beside.stat().st_size == 0:
                beside.unlink()

    def _drop_superseded(self) -> None:
        standing = set(self._last_of_id.values())
        rewritten = self._path.with_name(self._path.name + ".part")
        with self._path.open("rb") as lines, rewritten.open("wb") as kept:
            kept.writelines(line for number, line in enumerate(lines) if number in standing)
        rewritten.replace(self._path)


def dead_letter_file(output: Path) -> Path:
    """Return where the dead letters of an output file are listed.

    >>> dead_letter_file(Path("night.csv")).name
    'night.dead-letters.jsonl'
    """
    return output.with_name(f"{output.stem}.dead-letters.jsonl")


def declined_file(output: Path) -> Path:
    """Return where the declined alerts of an output file are listed.

    >>> declined_file(Path("night.jsonl")).name
    'night.declined.jsonl'
    """
    return output.with_name(f"{output.stem}.declined.jsonl")


def _open_for_writing(path: Path) -> BinaryIO:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return path.open("wb")
    except OSError as error:
        reason = f"{path} cannot be written ({error.strerror}): name another file with --output"
        raise ConfigError(reason) from error
