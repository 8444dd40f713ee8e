"""One page as one file: scripts, style and data in it, to be kept or sent.

Modules cannot import each other within a file, so each becomes a function that hands on what it
exports. The file's own content-security policy names its script and style by their hashes.
"""

import base64
import hashlib
import re
from html import escape
from string import Template
from typing import Any

from broker_classifier.web.server.assets import (
    IMPORT,
    imported_name,
    json_for_html,
    modules_of,
    page_file,
)

_EXPORT = re.compile(r"^export ((?:async )?function|const|let) (\w+)", re.MULTILINE)
_FILE = Template(
    """<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="$policy">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>$title</title>
<style>$style</style>
<script type="application/json" id="content">$content</script>
<body>
<main id="main"></main>
<noscript><p class="notice">This page is drawn by its script; please allow it.</p></noscript>
<script>$script</script>
</body>
</html>
"""
)


def single_file(entry: str, title: str, content: Any) -> str:
    """Write a page whose script is `entry`, a file of page/, and whose data are `content`."""
    script = "\n" + joined_script(entry) + "\n"
    style = "\n" + page_file("page.css").decode()
    policy = (
        f"default-src 'none'; script-src {_hash(script)}; style-src {_hash(style)}; "
        "img-src blob:; base-uri 'none'; form-action 'none'"
    )
    return _FILE.substitute(
        policy=policy,
        title=escape(title),
        style=style,
        content=json_for_html(content),
        script=script,
    )


def joined_script(entry: str) -> str:
    """Join a module and all that it imports into one script."""
    modules = "\n".join(_as_function(name) for name in modules_of(entry))
    return f'"use strict";\nconst modules = {{}};\n{modules}'


def _as_function(name: str) -> str:
    def imported(match: re.Match[str]) -> str:
        names = match[1].replace(" as ", ": ")
        return f'const {{ {names} }} = modules["{imported_name(name, match[2])}"];'

    source = page_file(name).decode()
    exported = ", ".join(word for _, word in _EXPORT.findall(source))
    body = _EXPORT.sub(r"\1 \2", IMPORT.sub(imported, source))
    return f'modules["{name}"] = (() => {{\n{body}return {{ {exported} }};\n}})();'


def _hash(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"
