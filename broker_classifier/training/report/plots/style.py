"""What all plots share: colours that colour-blind people can tell apart, sizes, saving."""

from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from broker_classifier.model.band_colours import BAND_SHAPES

DPI = 90
# Okabe & Ito (2008), the darker ones first; each line has its own marker and dashes besides.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
MARKERS = ("o", "s", "D", "^", "v", "P", "X")
DASHES = ("-", "--", "-.", ":", "-", "--", "-.")
MARKER_OF_SHAPE = {
    "pentagon": "p",
    "circle": "o",
    "square": "s",
    "diamond": "D",
    "triangle": "^",
    "hexagon": "h",
}
BAND_MARKERS = {band: MARKER_OF_SHAPE[shape] for band, shape in BAND_SHAPES.items()}
LIMIT_MARKER = "v"  # of upper limits, whatever their band
GREY = "#808080"
SMALL = 7.5


def save(figure: Figure, path: Path) -> None:
    """Write a picture in the form of its suffix.

    A PNG has no version of matplotlib in it, so that the same figures make the same file.
    """
    is_png = path.suffix.lower() == ".png"
    figure.savefig(path, dpi=DPI, metadata={"Software": None} if is_png else None)


def tidy(axis: Axes) -> None:
    """Draw a light grid behind the lines and no box around them."""
    axis.grid(color="#DDDDDD", linewidth=0.7)
    axis.set_axisbelow(True)
    axis.spines[["top", "right"]].set_visible(False)
    axis.tick_params(labelsize=8)
