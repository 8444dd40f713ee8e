"""Scripts, style and pages out of the package, compressed once, under an address that is theirs.

The address has a hash of all of them, so a browser may keep them for ever and never mixes two
versions.
"""

import gzip
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from string import Template
from typing import Any

from starlette.responses import Response

from broker_classifier.model.band_colours import BAND_COLOURS, BAND_SHAPES
from broker_classifier.model.class_colours import COLOURS, OTHER_COLOURS
from broker_classifier.web.server.page_files import joined_script, page_file

CONTENT_TYPES = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
FOR_EVER = "public, max-age=31536000, immutable"
SCRIPTS = {
    "home": "objects/home.js",
    "object": "object/object.js",
    "bundle": "bundle/bundle.js",
    "health": "health/health.js",
}
"""What each kind of page is drawn by."""

_STYLE, _ICON, _SHELL = "page.css", "icon.svg", "page.html"


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
        contents = {name: page_file(name) for name in (_STYLE, _ICON)}
        contents |= {f"{kind}.js": joined_script(name).encode() for kind, name in SCRIPTS.items()}
        self.files = {name: _asset(name, content) for name, content in contents.items()}
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
        return self._shell.substitute(base=base, kind=kind, about=json_for_html(about))


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


def _asset(name: str, content: bytes) -> Asset:
    return Asset(CONTENT_TYPES[_suffix(name)], content, gzip.compress(content, 9, mtime=0))


def _suffix(name: str) -> str:
    return name[name.rfind(".") :]
