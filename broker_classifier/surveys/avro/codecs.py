"""The codecs of Avro object containers, with a limit on the size of a decompressed block.

A few kilobytes of deflate or zstandard can stand for gigabytes; no alert does.
"""

import zlib
from collections.abc import Callable

import cramjam

from broker_classifier.errors import DecodeError

_FIRST_GUESS = 1 << 20
_CRC_SIZE = 4


def codec(name: str) -> Callable[[bytes, int], bytes]:
    """Return the function that decompresses a block to no more than so many bytes.

    It raises `DecodeError`, `zlib.error` or `cramjam.DecompressionError`.

    Raises
    ------
    DecodeError
        If the codec is unknown.
    """
    try:
        return _CODECS[name]
    except KeyError:
        msg = f"the container's codec is {name!r}; known ones are {', '.join(_CODECS)}"
        raise DecodeError(msg) from None


def _as_it_is(body: bytes, most_bytes: int) -> bytes:
    if len(body) > most_bytes:
        raise _too_large(most_bytes)
    return body


def _inflate(body: bytes, most_bytes: int) -> bytes:
    decompressor = zlib.decompressobj(wbits=-zlib.MAX_WBITS)
    unpacked = decompressor.decompress(body, most_bytes)
    if decompressor.unconsumed_tail:
        raise _too_large(most_bytes)
    return unpacked + decompressor.flush()


def _unsnap(body: bytes, most_bytes: int) -> bytes:
    packed = body[:-_CRC_SIZE]
    if cramjam.snappy.decompress_raw_len(packed) > most_bytes:
        raise _too_large(most_bytes)
    unpacked = bytes(cramjam.snappy.decompress_raw(packed))
    if zlib.crc32(unpacked).to_bytes(_CRC_SIZE, "big") != body[-_CRC_SIZE:]:
        msg = "a snappy block does not match its checksum"
        raise DecodeError(msg)
    return unpacked


def _unzstd(body: bytes, most_bytes: int) -> bytes:
    """Decompress into ever larger buffers: a frame need not say how large it becomes."""
    size = _FIRST_GUESS
    while True:
        unpacked = bytearray(size)
        try:
            n_bytes = cramjam.zstd.decompress_into(body, unpacked)
        except cramjam.DecompressionError as error:
            if "whole buffer" not in str(error):
                raise
            if size >= most_bytes:
                raise _too_large(most_bytes) from error
            size = min(8 * size, most_bytes)
        else:
            return bytes(memoryview(unpacked)[:n_bytes])


def _too_large(most_bytes: int) -> DecodeError:
    return DecodeError(f"a block decompresses to more than {most_bytes >> 20} MiB")


_CODECS: dict[str, Callable[[bytes, int], bytes]] = {
    "null": _as_it_is,
    "deflate": _inflate,
    "snappy": _unsnap,
    "zstandard": _unzstd,
}
