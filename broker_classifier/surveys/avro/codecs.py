"""The codecs of Avro object containers, with a bound on what a block may become.

A few kilobytes of deflate or zstandard can stand for gigabytes; no alert does.
"""

import zlib
from collections.abc import Callable

import cramjam

from broker_classifier.errors import DecodeError

MOST_BYTES = 64 << 20
_FIRST_GUESS = 1 << 20
_CRC_SIZE = 4


def codec(name: str) -> Callable[[bytes], bytes]:
    """Return the function that decompresses a block.

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


def _inflate(body: bytes) -> bytes:
    decompressor = zlib.decompressobj(wbits=-zlib.MAX_WBITS)
    unpacked = decompressor.decompress(body, MOST_BYTES)
    if decompressor.unconsumed_tail:
        raise _too_large()
    return unpacked + decompressor.flush()


def _unsnap(body: bytes) -> bytes:
    packed = body[:-_CRC_SIZE]
    if cramjam.snappy.decompress_raw_len(packed) > MOST_BYTES:
        raise _too_large()
    unpacked = bytes(cramjam.snappy.decompress_raw(packed))
    if zlib.crc32(unpacked).to_bytes(_CRC_SIZE, "big") != body[-_CRC_SIZE:]:
        msg = "a snappy block does not match its checksum"
        raise DecodeError(msg)
    return unpacked


def _unzstd(body: bytes) -> bytes:
    """Decompress into ever larger buffers: a frame need not say how large it becomes."""
    size = _FIRST_GUESS
    while True:
        unpacked = bytearray(size)
        try:
            n_bytes = cramjam.zstd.decompress_into(body, unpacked)
        except cramjam.DecompressionError as error:
            if "whole buffer" not in str(error):
                raise
            if size >= MOST_BYTES:
                raise _too_large() from error
            size *= 8
        else:
            return bytes(unpacked[:n_bytes])


def _too_large() -> DecodeError:
    return DecodeError(f"a block decompresses to more than {MOST_BYTES >> 20} MiB")


_CODECS: dict[str, Callable[[bytes], bytes]] = {
    "null": bytes,
    "deflate": _inflate,
    "snappy": _unsnap,
    "zstandard": _unzstd,
}
