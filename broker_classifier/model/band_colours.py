"""One colour and one shape per band, for the page and the plots.

The colours keep apart from each other and from the classes' (see `model.class_colours`). The shape
tells the band to an eye that colours do not.
"""

BAND_COLOURS = {
    "u": "#a42adb",
    "g": "#1ccea1",
    "r": "#fb0f1e",
    "i": "#dfa725",
    "z": "#697988",
    "y": "#9993e6",
}
BAND_SHAPES = {
    "u": "pentagon",
    "g": "circle",
    "r": "square",
    "i": "diamond",
    "z": "triangle",
    "y": "hexagon",
}
