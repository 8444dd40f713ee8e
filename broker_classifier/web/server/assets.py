"""Scripts, style and pages out of the package, compressed once, under an address that is theirs.

The address has a hash of all of them, so a browser may keep them for ever and never mixes two
versions.
"""

import gzip
import hashlib
import json
import posixpath
import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from importlib.resources.abc import Traversable
from string import Template
from typing import Any

from starlette.responses import Response

from broker_classifier.model.band_colours import BAND_COLOURS, BAND_SHAPES
from broker_classifier.model.class_colours import COLOURS, OTHER_COLOURS

KINDS = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
FOR_EVER = "public, max-age=31536000, immutable"
SCRIPTS = {
    "home": "objects/home.js",
    "object": "object/object.js",
    "bundle": "bundle/bundle.js",
    "health": "health/health.js",
}
"""What each kind of page is drawn by."""

IMPORT = re.compile(r'^import \{ (.+?) \} from "(.+?)";$', re.MULTILINE)
_MAIN, _SHELL = "main.js", "page.html"


@dataclass(frozen=True)
class Asset:
    """A file as it is sent."""

    content_type: str
    plain: bytes
    compressed: bytes


class Assets:
    """All files of the page, read at the start.

    Attributes
    ----------
    hash : str
        Of their contents.
    """

    def __init__(self) -> None:
        self.files = {name: _asset(name, content) for name, content in page_files().items()}
        joined = b"".join(name.encode() + self.files[name].plain for name in sorted(self.files))
        self.hash = hashlib.sha256(joined).hexdigest()[:12]
        self._shell = Template(page_file(_SHELL).decode())

    def response(self, name: str, accepts_gzip: bool) -> Response | None:
        """Return a file; None if there is none of that name."""
        if (asset := self.files.get(name)) is None:
            return None
        headers = {"Cache-Control": FOR_EVER, "Vary": "Accept-Encoding"}
        if accepts_gzip:
            headers["Content-Encoding"] = "gzip"
        body = asset.compressed if accepts_gzip else asset.plain
        return Response(body, media_type=asset.content_type, headers=headers)

    def page(self, kind: str, about: Mapping[str, Any]) -> str:
        """Write the frame of a page of some kind, which its script fills."""
        base = f"/assets/{self.hash}"
        # Named beforehand, so that a browser fetches all at once and not import by import.
        modules = {name: None for entry in (_MAIN, SCRIPTS[kind]) for name in modules_of(entry)}
        preload = "\n".join(f'<link rel="modulepreload" href="{base}/{name}">' for name in modules)
        return self._shell.substitute(
            base=base, kind=kind, preload=preload, about=json_for_html(about)
        )


def json_for_html(content: Any) -> str:
    r"""Write JSON that cannot end the element it stands in.

    >>> json_for_html({"a": "</script>"})
    '{"a": "\\u003c/script>"}'
    """
    return json.dumps(content).replace("<", "\\u003c")


def colours() -> dict[str, Any]:
    """Return the colours of classes and bands, and the shapes of bands, for scripts."""
    return {
        "classes": COLOURS,
        "otherClasses": OTHER_COLOURS,
        "bands": BAND_COLOURS,
        "shapes": BAND_SHAPES,
    }


def modules_of(name: str, done: dict[str, None] | None = None) -> list[str]:
    """List a script after all that it imports, each once."""
    done = {} if done is None else done
    if name not in done:
        done[name] = None
        for _, path in IMPORT.findall(page_file(name).decode()):
            modules_of(imported_name(name, path), done)
        done[name] = done.pop(name)  # to the end
    return list(done)


def imported_name(name: str, path: str) -> str:
    """Resolve the path of an import.

    >>> imported_name("objects/home.js", "../common/dom.js")
    'common/dom.js'
    """
    return posixpath.normpath(posixpath.join(posixpath.dirname(name), path))


def page_files() -> dict[str, bytes]:
    """Return every script and style of the package by its name below page/."""
    return {
        f"{prefix}{file.name}": file.read_bytes()
        for prefix, file in _walk(resources.files("broker_classifier.web") / "page", "")
        if _suffix(file.name) in KINDS
    }


def page_file(name: str) -> bytes:
    """Return one file of page/."""
    return (resources.files("broker_classifier.web") / "page" / name).read_bytes()


def _walk(folder: Traversable, prefix: str) -> list[tuple[str, Traversable]]:
    files: list[tuple[str, Traversable]] = []
    for entry in folder.iterdir():
        files += _walk(entry, f"{prefix}{entry.name}/") if entry.is_dir() else [(prefix, entry)]
    return files


def _asset(name: str, content: bytes) -> Asset:
    return Asset(KINDS[_suffix(name)], content, gzip.compress(content, 9, mtime=0))


def _suffix(name: str) -> str:
    return name[name.rfind(".") :]
