"""Secrets of the settings: given there, or by the file or the variable that holds them.

`{file = "/run/secrets/kafka"}` and `{variable = "KAFKA_PASSWORD"}` stand in the place of a text. A
secret is a `SecretStr`, which nothing that prints or logs settings shows.
"""

import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, SecretStr

HIDDEN = "**********"
_HOLDERS = ("file", "variable")
_SECRET_KEY = re.compile(
    r"password|passphrase|secret|token|assertion|jaas|\.pem|oauthbearer\.config"
)

PlainClient = dict[str, str | int | float | bool]


def secret_of(value: Any) -> Any:
    """Read a secret from where a setting says that it is; return what is given there as it is.

    Raises
    ------
    ValueError
        If it is not there, or empty.
    """
    if not isinstance(value, Mapping):
        return value
    [(holder, name)] = value.items() if len(value) == 1 else [("", "")]
    if holder not in _HOLDERS or not isinstance(name, str):
        msg = 'a secret is a text, {file = "its file"} or {variable = "its variable"}'
        raise ValueError(msg)
    if secret := (_content(name) if holder == "file" else os.environ.get(name, "")).strip():
        return secret
    msg = f"the {holder} {name} is empty, or not there"
    raise ValueError(msg)


def _content(file: str) -> str:
    try:
        return Path(file).read_text()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is no text"
        msg = f"the file {file} cannot be read: {reason}"
        raise ValueError(msg) from None


def _secrets_of(client: Any) -> Any:
    if not isinstance(client, Mapping):
        return client
    read = {}
    for name, value in client.items():
        try:
            read[name] = secret_of(value)
        except ValueError as error:
            msg = f"{name}: {error}"
            raise ValueError(msg) from None
    return read


def _one_line(token: SecretStr) -> SecretStr:
    text = token.get_secret_value()
    if not text.isascii() or not text.isprintable() or " " in text:
        msg = "a token has letters, digits and signs; this one has others, or a space or line break"
        raise ValueError(msg)
    return token


Secret = Annotated[SecretStr, BeforeValidator(secret_of)]
Token = Annotated[SecretStr, BeforeValidator(secret_of), AfterValidator(_one_line)]
Client = Annotated[dict[str, bool | int | float | SecretStr], BeforeValidator(_secrets_of)]
"""Settings of a client library; its texts are shown nowhere, as some are secrets."""


def plain(client: Mapping[str, Any]) -> PlainClient:
    """Return the settings of a client library as it takes them."""
    return {
        name: value.get_secret_value() if isinstance(value, SecretStr) else value
        for name, value in client.items()
    }


def without_secrets(text: str, client: Mapping[str, Any]) -> str:
    """Hide the values of what is secret among a client's settings in a text that it wrote.

    >>> without_secrets("no such user: swordfish", {"sasl.password": "swordfish"})
    'no such user: **********'
    """
    secrets: Iterable[str] = (
        value for name, value in client.items() if isinstance(value, str) and is_secret(name)
    )
    for secret in sorted(filter(None, secrets), key=len, reverse=True):
        text = text.replace(secret, HIDDEN)
    return text


def is_secret(name: str) -> bool:
    """Tell whether a setting of a client library holds a secret, by its name.

    >>> is_secret("sasl.password"), is_secret("sasl.mechanism")
    (True, False)
    """
    return _SECRET_KEY.search(name) is not None


def without_password(url: str) -> str:
    """Return an address without the user and the password that stand in it.

    >>> without_password("https://us:pass/word@registry.example:8081/")
    'https://registry.example:8081/'
    """
    scheme, mark, rest = url.partition("://")
    return f"{scheme}{mark}{rest.rpartition('@')[2]}" if mark else url.rpartition("@")[2]
