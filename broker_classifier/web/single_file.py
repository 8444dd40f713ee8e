"""One page as one file: scripts, style and data in it, to be kept or sent.

The file's own content-security policy names its script and style by their hashes.
"""

import base64
import hashlib
from html import escape
from string import Template
from typing import Any

from broker_classifier.web.server.assets import json_for_html
from broker_classifier.web.server.page_files import joined_script, page_file

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


def _hash(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"
