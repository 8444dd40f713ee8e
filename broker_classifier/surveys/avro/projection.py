"""Reading what a layout wants of a batch of records, each written by a schema of its own.

A schema is compiled the first time it is seen. One that cannot be is read by fastavro, record by
record, into the same columns, and counted.
"""

import ctypes
import io
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from broker_classifier.errors import DecodeError, MessageError
from broker_classifier.logs import get_logger
from broker_classifier.surveys.avro import kernel
from broker_classifier.surveys.avro.compile_schema import InexpressibleError, compile_schema
from broker_classifier.surveys.avro.container import Record, parsed_schema, read_record
from broker_classifier.surveys.avro.layout import Layout, Projected
from broker_classifier.surveys.avro.project_decoded import with_decoded
from broker_classifier.surveys.avro.run_programs import Inputs, Outputs, run

MAX_PROGRAMS = 256
FALLBACK, NO_PROGRAM = -1, -2
_TEXT_LENGTH = 0xFFFFFFFF
_REASONS = {
    kernel.TRUNCATED: "the bytes end within it, or it announces more than there are",
    kernel.NO_BRANCH: "its union has no such branch",
    kernel.TOO_LONG: "its integer is longer than 64 bits",
    kernel.BAD_LENGTH: "its length is impossible",
    kernel.TOO_DEEP: f"it is nested more than {kernel.MAX_DEPTH} times",
    kernel.NO_SYMBOL: "its enum has no such symbol",
}

log = get_logger()


class Encoded(NamedTuple):
    """A record in a message.

    Attributes
    ----------
    message : bytes
    begin, end : int
        First byte of the record, and the one after its last.
    schema : bytes
        The writer's schema, JSON, self-contained.
    """

    message: bytes
    begin: int
    end: int
    schema: bytes


@dataclass
class Projector:
    """The programs of one layout for every schema seen, one after the other in one array.

    Attributes
    ----------
    fallbacks : Counter, optional
        Counts, by the layout's name, the records that fastavro had to read.
    """

    layout: Layout
    fallbacks: Counter[str] | None = None
    ops: NDArray[np.int64] = field(default_factory=lambda: np.empty((0, 4), dtype=np.int64))
    paths: list[str] = field(default_factory=list)
    starts: dict[bytes, int] = field(default_factory=dict)
    capacity: int = 4096

    def project(
        self, records: Sequence[Encoded | MessageError], *, head_only: bool = False
    ) -> Projected:
        """Read a batch of records; what is an error already stays one.

        With `head_only`, each is read up to the end of the layout's first table, and what stands
        behind that counts as absent.
        """
        if len(self.starts) > MAX_PROGRAMS:
            self.ops, self.paths, self.starts = self.ops[:0], [], {}
        errors: dict[int, MessageError] = {}
        messages, inputs = self._inputs(records, errors)
        out, n_rows, stops = self._run(inputs, head_only)
        for m in np.flatnonzero(stops[:, 0]).tolist():
            errors[m] = self._error(*stops[m].tolist())
        texts = {
            column: _texts(messages, out.head[:, column].tolist(), errors)
            for column in self.layout.texts()
        }
        result = Projected(out.head, out.columns[:, :n_rows], out.owner[:, :n_rows], texts, errors)
        slow = np.flatnonzero(inputs.starts == FALLBACK).tolist()
        if not slow:
            return result
        self._count_fallbacks(len(slow))
        return with_decoded(result, _decoded(records, slow, errors), self.layout)

    def end(self, record: Encoded) -> int:
        """Find the end of a record that others may follow; `record.end` is that of them all.

        Raises
        ------
        DecodeError
            If the bytes do not fit the schema.
        """
        errors: dict[int, MessageError] = {}
        _, inputs = self._inputs([record], errors)
        if errors:
            raise errors[0]
        if inputs.starts[0] == FALLBACK:
            self._count_fallbacks(1)
            stream = io.BytesIO(record.message[record.begin : record.end])
            read_record(stream, parsed_schema(record.schema))
            return record.begin + stream.tell()
        [(reason, op, position)] = self._run(inputs, head_only=False)[2].tolist()
        if reason not in (0, kernel.LEFT_OVER):
            raise self._error(reason, op, position)
        return record.end - (position if reason else 0)

    def start(self, schema: bytes) -> int:
        """Return the first op of a schema's program, or FALLBACK; compile it if it is new.

        Raises
        ------
        DecodeError
            If the bytes are no valid Avro schema.
        """
        start = self.starts.get(schema)
        if start is not None:
            return start
        try:
            program = compile_schema(parsed_schema(schema), self.layout)
        except InexpressibleError as reason:
            log.warning("a schema is left to fastavro", survey=self.layout.name, reason=str(reason))
            self.starts[schema] = FALLBACK
            return FALLBACK
        except RecursionError as error:
            msg = "the schema is nested too deeply to be an alert's"
            raise DecodeError(msg) from error
        self.starts[schema] = len(self.ops)
        self.ops = np.concatenate([self.ops, program.ops])
        self.paths.extend(program.paths)
        return self.starts[schema]

    def _inputs(
        self, records: Sequence[Encoded | MessageError], errors: dict[int, MessageError]
    ) -> tuple[list[bytes], Inputs]:
        messages: list[bytes] = []
        places: list[tuple[int, int, int]] = []
        for m, record in enumerate(records):
            message, place = b"", (0, 0, NO_PROGRAM)
            try:
                if isinstance(record, MessageError):
                    raise record
                place = record.begin, record.end, self.start(record.schema)
                message = record.message
            except MessageError as error:
                errors[m] = error
            messages.append(message)
            places.append(place)
        columns = np.array(places, dtype=np.int64).reshape(-1, 3).T.copy()
        return messages, Inputs(addresses(messages), *columns)

    def _run(self, inputs: Inputs, head_only: bool) -> tuple[Outputs, int, NDArray[np.int64]]:
        """Run all programs, in columns twice as long whenever they are full."""
        head, blanks = self.layout.blanks()
        stops = np.zeros((len(inputs.starts), 3), dtype=np.int64)
        out = Outputs(np.tile(head, (len(stops), 1)), *_room(blanks, self.capacity), blanks)
        stack = np.empty((kernel.MAX_DEPTH, 2), dtype=np.int64)
        done, n_rows = run(self.ops, inputs, out, stack, head_only, 0, 0, stops)
        while done < len(stops):
            self.capacity *= 2
            columns, owner = _room(blanks, self.capacity)
            columns[:, :n_rows], owner[:, :n_rows] = out.columns[:, :n_rows], out.owner[:, :n_rows]
            out = out._replace(columns=columns, owner=owner)
            done, n_rows = run(self.ops, inputs, out, stack, head_only, done, n_rows, stops)
        return out, n_rows, stops

    def _count_fallbacks(self, n_records: int) -> None:
        if self.fallbacks is not None:
            self.fallbacks[self.layout.name] += n_records

    def _error(self, reason: int, op: int, position: int) -> DecodeError:
        if reason == kernel.LEFT_OVER:
            return DecodeError(f"{position} bytes are left after the record")
        return DecodeError(
            f"the record does not fit its writer's schema at byte {position}, "
            f"in `{self.paths[op]}`: {_REASONS[reason]}"
        )


def addresses(messages: Sequence[bytes]) -> NDArray[np.int64]:
    """Return where the bytes of messages are in memory; valid as long as the messages are."""
    pointers = (ctypes.c_char_p * len(messages))(*messages)
    return np.frombuffer(memoryview(pointers).cast("B"), dtype=np.int64)


def _room(blanks: NDArray[np.int64], n_rows: int) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    columns = np.empty((blanks.shape[1], n_rows), dtype=np.int64)
    return columns, np.empty((2, n_rows), dtype=np.int32)


def _texts(
    messages: Sequence[bytes], places: list[int], errors: dict[int, MessageError]
) -> list[str]:
    """Cut a text out of every message; a place is where it begins and, in 32 bits, its length."""
    found = zip(messages, places, strict=True)
    texts = [text[p >> 32 : (p >> 32) + (p & _TEXT_LENGTH)] if p else b"" for text, p in found]
    try:
        return [text.decode() for text in texts]
    except UnicodeDecodeError:
        return [_text(text, m, errors) for m, text in enumerate(texts)]


def _text(text: bytes, m: int, errors: dict[int, MessageError]) -> str:
    try:
        return text.decode()
    except UnicodeDecodeError as error:
        errors.setdefault(m, DecodeError(f"a text of the record is no UTF-8: {error}"))
        return ""


def _decoded(
    records: Sequence[Encoded | MessageError], slow: list[int], errors: dict[int, MessageError]
) -> dict[int, Record]:
    """Decode with fastavro what has no program."""
    decoded = {}
    for m in slow:
        try:
            decoded[m] = _decoded_record(records[m])
        except DecodeError as error:
            errors[m] = error
    return decoded


def _decoded_record(record: Encoded | MessageError) -> Record:
    if isinstance(record, MessageError):
        raise record
    stream = io.BytesIO(record.message[record.begin : record.end])
    decoded = read_record(stream, parsed_schema(record.schema))
    if left_over := record.end - record.begin - stream.tell():
        msg = f"{left_over} bytes are left after the record"
        raise DecodeError(msg)
    return decoded
