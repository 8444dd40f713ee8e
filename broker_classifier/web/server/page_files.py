"""The files of page/, and the one script that a page's modules are joined into.

A page has some twenty modules. Fetched each for itself they would take a browser several rounds.
"""

import posixpath
import re
from importlib import resources

_PAGE = resources.files("broker_classifier.web") / "page"
_IMPORT = re.compile(r'^import \{ (.+?) \} from "(.+?)";$', re.MULTILINE)
_EXPORT = re.compile(r"^export ((?:async )?function|const|let) (\w+)", re.MULTILINE)


def page_file(name: str) -> bytes:
    """Return one file of page/."""
    return (_PAGE / name).read_bytes()


def joined_script(entry: str) -> str:
    """Join a module and all that it imports into one script, in which each is a function."""
    modules = "\n".join(_as_function(name) for name in modules_of(entry))
    return f'"use strict";\nconst modules = {{}};\n{modules}'


def modules_of(name: str, done: dict[str, None] | None = None) -> list[str]:
    """List a script after all that it imports, each once."""
    done = {} if done is None else done
    if name not in done:
        done[name] = None
        for _, path in _IMPORT.findall(page_file(name).decode()):
            modules_of(imported_name(name, path), done)
        done[name] = done.pop(name)  # to the end
    return list(done)


def imported_name(name: str, path: str) -> str:
    """Resolve the path of an import.

    >>> imported_name("objects/home.js", "../common/dom.js")
    'common/dom.js'
    """
    return posixpath.normpath(posixpath.join(posixpath.dirname(name), path))


def _as_function(name: str) -> str:
    def imported(match: re.Match[str]) -> str:
        names = match[1].replace(" as ", ": ")
        return f'const {{ {names} }} = modules["{imported_name(name, match[2])}"];'

    source = page_file(name).decode()
    exported = ", ".join(word for _, word in _EXPORT.findall(source))
    body = _EXPORT.sub(r"\1 \2", _IMPORT.sub(imported, source))
    return f'modules["{name}"] = (() => {{\n{body}return {{ {exported} }};\n}})();'
