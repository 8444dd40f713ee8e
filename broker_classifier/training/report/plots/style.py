"""What all plots share: colours that colour-blind people can tell apart, sizes, saving."""

from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure

DPI = 90
# Okabe & Ito (2008), the darker ones first; each line has its own marker and dashes besides.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
MARKERS = ("o", "s", "D", "^", "v", "P", "X")
DASHES = ("-", "--", "-.", ":", "-", "--", "-.")
BAND_COLOURS = dict(zip("ugrizy", (COLOURS[i] for i in (5, 2, 1, 3, 6, 4)), strict=True))
BAND_MARKERS = dict(zip("ugrizy", "osD^PX", strict=True))
LIMIT_MARKER = "v"  # of upper limits, whatever their band
GREY = "#808080"
SMALL = 7.5


def save(figure: Figure, path: Path) -> None:
    """Write a PNG; without the version of matplotlib in it, the same figures make the same file."""
    figure.savefig(path, dpi=DPI, metadata={"Software": None})


def tidy(axis: Axes) -> None:
    """Draw a light grid behind the lines and no box around them."""
    axis.grid(color="#DDDDDD", linewidth=0.7)
    axis.set_axisbelow(True)
    axis.spines[["top", "right"]].set_visible(False)
    axis.tick_params(labelsize=8)
