"""Reading what a layout wants of a batch of records, each written by a schema of its own.

A schema is compiled the first time it is seen. One that cannot be is read by fastavro, record by
record, into the same columns, and counted; a program that keeps nothing checks each record before.
Whatever the bytes, memory is bounded: by the rows of a record, and of the records read at once.
"""

import ctypes
import io
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from broker_classifier.errors import DecodeError, MessageError, without_locals
from broker_classifier.logs import get_logger
from broker_classifier.surveys.avro import kernel
from broker_classifier.surveys.avro.compile_schema import InexpressibleError, compile_schema
from broker_classifier.surveys.avro.container import Record, parsed_schema, read_record
from broker_classifier.surveys.avro.layout import MOST_ROWS, TOO_MANY_ROWS, Layout, Projected
from broker_classifier.surveys.avro.project_decoded import with_decoded
from broker_classifier.surveys.avro.run_programs import Inputs, Outputs, run
from broker_classifier.surveys.avro.schema_types import has_empty_types

MOST_ROWS_AT_ONCE = 500_000
MOST_BYTES_AT_ONCE = 64 << 20
MOST_OPS = 200_000
MOST_FALLBACKS, MOST_FALLBACK_BYTES = 20, 1 << 20  # fastavro makes up to 200 bytes of one
FALLBACK, NO_PROGRAM = -1, -2
WHOLE = -1  # no op, but the record
_TEXT_LENGTH = 0xFFFFFFFF
_REASONS = {
    kernel.TRUNCATED: "the bytes end within it, or it announces more than there are",
    kernel.NO_BRANCH: "its union has no such branch",
    kernel.TOO_LONG: "its integer is longer than 64 bits",
    kernel.BAD_LENGTH: "its length is impossible",
    kernel.TOO_DEEP: f"it is nested more than {kernel.MAX_DEPTH} times",
    kernel.NO_SYMBOL: "its enum has no such symbol",
    kernel.TOO_MANY: "it has more items than any alert",
}

NOTHING, NUMBER_OF_ITEMS = Layout("nothing"), Layout("number of items", counts_items=True)

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
    bounds: "Projector | None" = None

    def projections(
        self, records: Iterable[Encoded | MessageError], *, head_only: bool = False
    ) -> Iterator[Projected]:
        """Read records, as many at once as memory allows; see `project`."""
        for run_ in _runs(records):
            waiting = run_
            while waiting:
                projected = self.project(waiting, head_only=head_only)
                yield projected
                waiting = waiting[len(projected.head) :]

    def project(
        self, records: Sequence[Encoded | MessageError], *, head_only: bool = False
    ) -> Projected:
        """Read the first records, all unless they have many rows; what is an error stays one.

        With `head_only`, each is read up to the end of the layout's first table, and what stands
        behind that counts as absent.
        """
        if len(self.ops) > MOST_OPS:
            self.ops, self.paths, self.starts = self.ops[:0], [], {}
        errors: dict[int, MessageError] = {}
        messages, inputs = self._inputs(records, errors)
        out, n_rows, stops = self._run(inputs, head_only)
        slow = np.flatnonzero(inputs.starts[: len(stops)] == FALLBACK).tolist()
        if len(slow) > MOST_FALLBACKS:
            slow, stops = slow[:MOST_FALLBACKS], stops[: slow[MOST_FALLBACKS]]
            n_rows = int(np.searchsorted(out.owner[0, :n_rows], len(stops)))
        head, n = out.head[: len(stops)], len(stops)
        errors = {m: error for m, error in errors.items() if m < n}
        for m in np.flatnonzero(stops[:, 0]).tolist():
            errors[m] = self._error(*stops[m].tolist())
        texts = {
            column: _texts(messages[:n], head[:, column].tolist(), errors)
            for column in self.layout.texts()
        }
        result = Projected(head, out.columns[:, :n_rows], out.owner[:, :n_rows], texts, errors)
        return self._with_fallbacks(result, records, slow) if slow else result

    def _with_fallbacks(
        self, result: Projected, records: Sequence[Encoded | MessageError], slow: list[int]
    ) -> Projected:
        if self.fallbacks is not None:
            self.fallbacks[self.layout.name] += len(slow)
        return with_decoded(result, self._decoded(records, slow, result.errors), self.layout)

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
            if has_empty_types(parsed_schema(schema)):
                msg = f"{reason}, and other values of the schema have no bytes"
                raise DecodeError(msg) from None
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
                errors[m] = without_locals(error)
            messages.append(message)
            places.append(place)
        columns = np.array(places, dtype=np.int64).reshape(-1, 3).T.copy()
        return messages, Inputs(addresses(messages), *columns)

    def _run(self, inputs: Inputs, head_only: bool) -> tuple[Outputs, int, NDArray[np.int64]]:
        """Run the programs, in columns twice as long whenever they are full.

        Stops before a record by which there would be more than MOST_ROWS_AT_ONCE rows.
        """
        head, blanks = self.layout.blanks()
        stops = np.zeros((len(inputs.starts), 3), dtype=np.int64)
        out = Outputs(np.tile(head, (len(stops), 1)), *_room(blanks, self.capacity), blanks)
        stack = np.empty((kernel.MAX_DEPTH, 2), dtype=np.int64)
        done, n_rows = run(self.ops, inputs, out, stack, head_only, 0, 0, stops)
        while done < len(stops):
            if self.capacity - n_rows > MOST_ROWS:
                stops[done], inputs.starts[done] = (kernel.TOO_MANY, WHOLE, 0), NO_PROGRAM
            elif n_rows > MOST_ROWS_AT_ONCE:
                return out, n_rows, stops[:done]
            else:
                self.capacity *= 2
                columns, owner = _room(blanks, self.capacity)
                columns[:, :n_rows] = out.columns[:, :n_rows]
                owner[:, :n_rows] = out.owner[:, :n_rows]
                out = out._replace(columns=columns, owner=owner)
            done, n_rows = run(self.ops, inputs, out, stack, head_only, done, n_rows, stops)
        return out, n_rows, stops

    def _decoded(
        self,
        records: Sequence[Encoded | MessageError],
        slow: list[int],
        errors: dict[int, MessageError],
    ) -> Iterator[tuple[int, Record]]:
        """Decode with fastavro what has no program, one record after the other."""
        for m in slow:
            record = records[m]
            assert isinstance(record, Encoded)
            try:
                self._check_bounds(record)
                stream = io.BytesIO(record.message[record.begin : record.end])
                yield m, read_record(stream, parsed_schema(record.schema))
            except DecodeError as error:
                errors[m] = without_locals(error)

    def _check_bounds(self, record: Encoded) -> None:
        """Refuse a record that fastavro would need much memory or stack for, or no end."""
        n_bytes = record.end - record.begin
        if n_bytes > MOST_FALLBACK_BYTES:
            msg = f"the record has {n_bytes} bytes; with such a schema only smaller ones are read"
            raise DecodeError(msg)
        self.bounds = self.bounds or Projector(NUMBER_OF_ITEMS)
        if left_over := record.end - self.bounds.end(record):
            msg = f"{left_over} bytes are left after the record"
            raise DecodeError(msg)

    def _error(self, reason: int, op: int, position: int) -> DecodeError:
        if reason == kernel.LEFT_OVER:
            return DecodeError(f"{position} bytes are left after the record")
        if op == WHOLE:
            return DecodeError(TOO_MANY_ROWS)
        return DecodeError(
            f"the record does not fit its writer's schema at byte {position}, "
            f"in `{self.paths[op]}`: {_REASONS[reason]}"
        )


def _runs(records: Iterable[Encoded | MessageError]) -> Iterator[list[Encoded | MessageError]]:
    """Divide records into runs, the messages of each together no larger than fits into memory."""
    run_: list[Encoded | MessageError] = []
    n_bytes = 0
    for record in records:
        run_.append(record)
        n_bytes += record.end if isinstance(record, Encoded) else 0
        if n_bytes > MOST_BYTES_AT_ONCE:
            yield run_
            run_, n_bytes = [], 0
    yield run_


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
    cells = zip(messages, places, strict=True)
    texts = [text[p >> 32 : (p >> 32) + (p & _TEXT_LENGTH)] if p else b"" for text, p in cells]
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
