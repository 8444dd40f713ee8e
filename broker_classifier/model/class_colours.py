"""One colour per class, for the terminal, the page and the plots."""

COLOURS = {
    "SNIa": "#4c8dff",
    "SNIa-91bg": "#67c7f2",
    "SNIax": "#23b5a5",
    "SNII": "#ee5a52",
    "SNIIn": "#b5545c",
    "SNIbc": "#f6a13c",
    "SLSN-I": "#a974f0",
    "TDE": "#f072b6",
    "AGN": "#8b95a5",
}
_OTHERS = ("#b5bd3a", "#c58a5a", "#5fae63", "#d0d0d0")


def class_colour(name: str) -> str:
    """Return a class's colour; classes of other bundles get one of a few more.

    >>> class_colour("SNIa")
    '#4c8dff'
    """
    return COLOURS.get(name) or _OTHERS[sum(name.encode()) % len(_OTHERS)]
