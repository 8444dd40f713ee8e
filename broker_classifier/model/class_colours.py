"""One colour per class, for the terminal, the page and the plots.

Any two differ by at least .08 in OKLab, for the usual eye as for simulated protanopia, deuteranopia
and tritanopia (Machado, Oliveira & Fernandes 2009); .02 is just seen. The bands' colours, of
`model.band_colours`, keep as far apart from each other, and to the usual eye from the classes'.
"""

COLOURS = {
    "SNIa": "#5e81df",
    "SNIa-91bg": "#1b709e",
    "SNIax": "#9fcec9",
    "SNII": "#cf4d21",
    "SNIIn": "#83535f",
    "SNIbc": "#f4843c",
    "SLSN-I": "#a18299",
    "TDE": "#e48af0",
    "AGN": "#96aca0",
    "KN": "#c7c089",
}
OTHER_COLOURS = ("#b5bd3a", "#c58a5a", "#5fae63", "#d0d0d0")


def class_colour(name: str) -> str:
    """Return a class's colour; classes of other bundles get one of a few more.

    >>> class_colour("SNIa")
    '#5e81df'
    """
    return COLOURS.get(name) or OTHER_COLOURS[sum(name.encode()) % len(OTHER_COLOURS)]
