"""Containers of many alerts, such as archives keep, into one container for each."""

from collections.abc import Iterator

from broker_classifier.errors import DecodeError
from broker_classifier.surveys.avro.container import lone_container, open_container
from broker_classifier.surveys.avro.projection import NOTHING, Encoded, Projector


def split_container(message: bytes) -> Iterator[bytes]:
    """Yield every record as an uncompressed container of its own; a single one comes as it is.

    Raises
    ------
    DecodeError
        If the bytes are no container, and when a record is reached that does not fit its schema.
    """
    container = open_container(message)
    if container.n_records == 1:
        yield message
        return
    nothing_of_it = Projector(NOTHING)
    for count, block in container.blocks():
        begin, end = 0, len(block)
        for _ in range(count):
            first = begin
            begin = nothing_of_it.end(Encoded(block, first, end, container.schema))
            yield lone_container(container.schema, block[first:begin])
        if begin != end:
            msg = f"{end - begin} bytes are left after the last record of a block"
            raise DecodeError(msg)
