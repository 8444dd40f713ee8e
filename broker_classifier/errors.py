"""Every exception of the package, as one tree; what goes wrong decides who acts.

BrokerError
├── MessageError            one message is bad      → dead-letter topic, the stream goes on
│   ├── DecodeError           its bytes are not the Avro or JSON they claim to be
│   ├── SchemaError           its schema lacks what a classification cannot do without
│   ├── UnreadableFileError   its file, or the rest of an archive, cannot be read
│   └── LightCurveUnavailableError   what it lacks cannot be fetched now; replay it later
├── InputLostError          the consumer is fenced  → exit, the supervisor starts it again
├── StartOverError          what is under way is void → drop it, read again what is not committed
│   └── StoreRestartedError
├── UnavailableError        a destination is down   → stop polling, commit nothing, try again
│   ├── StoreUnavailableError
│   ├── OutputUnavailableError
│   └── SchemasUnavailableError
├── LightCurveError         a caller's columns      → correct the row that it names
└── SetupError              the start is wrong      → exit with the message
    ├── ConfigError           a setting
    ├── BundleError           a model bundle
    └── DataError             a data set for training or evaluation
"""

import traceback


def without_locals(error: "MessageError") -> "MessageError":
    """Let an error that is kept hold no more of what was decoded than its sentence and its lines.

    A traceback keeps the variables of every function that it passed alive, megabytes of a bomb.
    """
    link: BaseException | None = error
    while link is not None:
        traceback.clear_frames(link.__traceback__)
        link = link.__cause__ or link.__context__
    return error


class BrokerError(Exception):
    """Root of everything that this package raises on purpose."""


class MessageError(BrokerError):
    """One message cannot be used; it belongs in the dead-letter topic."""


class DecodeError(MessageError):
    """The bytes are truncated, corrupted, or not in the format that they claim."""


class SchemaError(MessageError):
    """The message decodes, but a field that identifies or dates the alert is missing."""


class UnreadableFileError(MessageError):
    """A file, or the rest of an archive from some member on, cannot be read."""


class LightCurveUnavailableError(MessageError):
    """The message came without a light curve, and nobody can be asked for it at the moment."""


class InputLostError(BrokerError):
    """Kafka will never again let this consumer read or commit."""


class StartOverError(BrokerError):
    """What is under way may be lost, or belong to another worker; its messages come again."""


class StoreRestartedError(StartOverError):
    """The light-curve store crashed before it had on disk what was put there."""


class UnavailableError(BrokerError):
    """A destination does not answer; nothing may be committed until it does."""


class StoreUnavailableError(UnavailableError):
    """The light-curve store does not answer."""


class OutputUnavailableError(UnavailableError):
    """Kafka did not confirm what was published."""


class SchemasUnavailableError(UnavailableError):
    """The Schema Registry that knows what a message's schema id means does not answer."""


class LightCurveError(BrokerError, ValueError):
    """Columns that somebody gave are no light curve."""


class SetupError(BrokerError):
    """The program cannot start as it was asked to."""


class ConfigError(SetupError):
    """A setting is unknown, missing or out of range."""


class BundleError(SetupError):
    """A model bundle is incomplete, altered or does not reproduce its golden cases."""


class DataError(SetupError):
    """A data set lacks a file, a column or the objects that a command needs."""
