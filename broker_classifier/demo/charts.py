"""One object as SVG: its light curve with attention weights, and its probabilities below."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from html import escape

from broker_classifier.model.class_colours import class_colour
from broker_classifier.streams.classification import ClassificationMessage, PointMessage

WIDTH, CURVE_HEIGHT, AREA_TOP, AREA_HEIGHT = 340.0, 120.0, 130.0, 52.0
HEIGHT = 206.0
_LEFT, _RIGHT, _TOP = 34.0, 332.0, 8.0
_DAYS_BEFORE = 12.0
_MOST_HISTORY_DAYS = 250.0
_SMALLEST_RADIUS, _LARGEST_RADIUS = 1.6, 5.5

Scale = Callable[[float], float]


def chart(answers: Sequence[ClassificationMessage]) -> str:
    """Draw an object's newest light curve and the evolution of its class probabilities.

    A point's size shows its attention weight, if the model has attention; points that the
    classifier did not use are hollow, upper limits are ticks, and forced photometry is left out
    unless it was used.
    """
    newest = answers[-1]
    points = [p for p in newest.light_curve if p.kind != "forced" or p.rejected is None]
    measured = [point for point in points if point.psf_flux is not None]
    first = min(point.mjd for point in measured)
    start = max(first - _DAYS_BEFORE, newest.mjd - _MOST_HISTORY_DAYS)
    shown = [point for point in points if point.mjd >= start]
    x = linear(start, max(newest.mjd, start + 1.0) + 1.0, _LEFT, _RIGHT)
    y = _flux_scale([point for point in shown if point.psf_flux is not None])
    parts = [
        *_flux_axis(y, shown),
        *_points(shown, x, y),
        *areas([(x(answer.mjd), answer.probabilities) for answer in answers], x(newest.mjd + 1.0)),
        *_time_axis(start, first, newest.mjd, x),
    ]
    label = escape(f"Light curve and class probabilities of {newest.object_id}")
    box = f'viewBox="0 0 {WIDTH:.0f} {HEIGHT:.0f}"'
    return f'<svg {box} role="img" aria-label="{label}">{"".join(parts)}</svg>'


def areas(steps: Sequence[tuple[float, Mapping[str, float]]], end: float) -> Iterable[str]:
    """Stack the classes' probabilities; each answer holds from its x to the next one's."""
    base = [0.0] * len(steps)
    edges = [*(x for x, _ in steps[1:]), max(end, steps[-1][0] + 2.0)]
    for name in steps[0][1]:
        top = [b + step[name] for b, (_, step) in zip(base, steps, strict=True)]
        upper = _staircase(steps, edges, top)
        lower = _staircase(steps, edges, base)
        path = "M" + "L".join(upper + lower[::-1]) + "Z"
        yield (f'<path d="{path}" fill="{class_colour(name)}"><title>{escape(name)}</title></path>')
        base = top


def linear(low: float, high: float, start: float, end: float) -> Scale:
    """Return the map that takes low to start and high to end.

    >>> linear(0.0, 10.0, 100.0, 200.0)(2.5)
    125.0
    """
    return lambda value: start + (value - low) / (high - low) * (end - start)


def _staircase(
    steps: Sequence[tuple[float, Mapping[str, float]]],
    edges: Sequence[float],
    values: Sequence[float],
) -> list[str]:
    corners = []
    for (x, _), edge, value in zip(steps, edges, values, strict=True):
        y = AREA_TOP + AREA_HEIGHT * (1.0 - min(1.0, value))
        corners += [f"{x:.1f},{y:.1f}", f"{edge:.1f},{y:.1f}"]
    return corners


def _flux_scale(measured: Sequence[PointMessage]) -> Scale:
    fluxes = [point.psf_flux for point in measured if point.psf_flux is not None]
    low, high = min(0.0, *fluxes), max(0.0, *fluxes)
    margin = 0.08 * (high - low)
    return linear(low - margin, high + margin, CURVE_HEIGHT, _TOP)


def _flux_axis(y: Scale, shown: Sequence[PointMessage]) -> Iterable[str]:
    yield f'<line x1="{_LEFT}" x2="{_RIGHT}" y1="{y(0):.1f}" y2="{y(0):.1f}" class="axis"/>'
    fluxes = [point.psf_flux for point in shown if point.psf_flux is not None]
    for flux in {max(fluxes), min(fluxes)} if min(fluxes) < 0 < max(fluxes) else {max(fluxes)}:
        label = f"{flux / 1000:.0f}" if abs(flux) >= 10_000 else f"{flux / 1000:.1f}"
        yield f'<text x="{_LEFT - 4}" y="{y(flux) + 3:.1f}" class="end">{label}</text>'
    yield f'<text x="{_LEFT - 4}" y="{y(0) + 3:.1f}" class="end">0</text>'


def _points(shown: Sequence[PointMessage], x: Scale, y: Scale) -> Iterable[str]:
    heaviest = max((point.attention or 0.0 for point in shown), default=0.0) or 1.0
    for point in shown:
        at, band = x(point.mjd), f"band-{point.band}"
        if point.psf_flux is None:
            limit = y(5.0 * point.psf_flux_err)
            if limit > _TOP:
                yield f'<path d="M{at - 2:.1f},{limit:.1f}h4l-2,3z" class="limit {band}"/>'
        elif point.rejected is not None:
            place = f'cx="{at:.1f}" cy="{y(point.psf_flux):.1f}"'
            reason = escape(point.rejected or "")
            yield f'<circle {place} r="1.8" class="unused {band}"><title>{reason}</title></circle>'
        else:
            yield _used(point, at, y, heaviest)


def _used(point: PointMessage, x: float, y: Scale, heaviest: float) -> str:
    flux, err, weight = point.psf_flux or 0.0, point.psf_flux_err, point.attention or 0.0
    band = f"band-{point.band}"
    radius = _SMALLEST_RADIUS + (_LARGEST_RADIUS - _SMALLEST_RADIUS) * (weight / heaviest) ** 0.5
    bar = f'<path d="M{x:.1f},{y(flux - err):.1f}V{y(flux + err):.1f}" class="err {band}"/>'
    seen = "used" if point.attention is None else f"attention {weight:.1%}"
    title = f"{point.band}, MJD {point.mjd:.2f}: {flux / 1000:.1f} µJy, {seen}"
    place = f'cx="{x:.1f}" cy="{y(flux):.1f}" r="{radius:.1f}"'
    return f'{bar}<circle {place} class="used {band}"><title>{title}</title></circle>'


def _time_axis(start: float, first: float, last: float, x: Scale) -> Iterable[str]:
    bottom = AREA_TOP + AREA_HEIGHT
    spacing = next((s for s in (5, 10, 20, 50) if (last - start) / s <= 6), 100)
    for number in range(int((start - first) // spacing) + 1, int((last - first) // spacing) + 1):
        at = x(first + number * spacing)
        yield f'<line x1="{at:.1f}" x2="{at:.1f}" y1="{bottom}" y2="{bottom + 3}" class="axis"/>'
        unit = " d" if number == 0 else ""
        yield f'<text x="{at:.1f}" y="{bottom + 13}" class="mid">{number * spacing}{unit}</text>'
