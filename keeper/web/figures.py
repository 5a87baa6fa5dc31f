"""Figures as inline SVG: no script, no font, no colour of their own but the page's, and readable in print.

A figure has its numbers' table beside it in the page; here is only what is drawn. Colours are the classes
``s0`` to ``s5`` of the page's style sheet, and lines differ by their dashes, too. Sizes are in the figure's
own units, which a page makes as wide as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import floor, log10

from markupsafe import Markup, escape

WIDTH, HEIGHT = 640, 300
LEFT, RIGHT, TOP, BOTTOM = 84, 14, 14, 40
EDGE, SHORT = 30, 4
"""Words so near to an end of the axis end or begin there; so short ones are never left out."""
TICKS = 5
"""At most so many lines across a figure, but for its base."""
IN_LINE = 8
THIN = 1.5
"""A bar of nothing is still seen to be there."""
NICE = (1, 2, 2.5, 5, 10)
"""Steps between ticks, times a power of ten."""

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Series:
    """A line, an area or a row of marks, by points from left to right."""

    name: str
    points: Sequence[Point]
    marks: bool = False
    """Whether each point is a mark by itself, and nothing goes from one to the next."""
    steps: bool = False
    """Whether a value stands until the next one."""


@dataclass(frozen=True, slots=True)
class Axis:
    """What is at the bottom: ticks where they shall be, by their words."""

    ticks: Sequence[tuple[float, str]]
    first: float
    last: float


@dataclass(frozen=True, slots=True)
class Scale:
    """From values to places in the figure."""

    axis: Axis
    low: float
    high: float

    def x(self, value: float) -> float:
        """Where it is from the left."""
        part = (value - self.axis.first) / ((self.axis.last - self.axis.first) or 1)
        return LEFT + part * (WIDTH - LEFT - RIGHT)

    def y(self, value: float) -> float:
        """Where it is from the top."""
        part = (value - self.low) / ((self.high - self.low) or 1)
        return HEIGHT - BOTTOM - part * (HEIGHT - TOP - BOTTOM)


def lines(title: str, series: Sequence[Series], axis: Axis, *, from_zero: bool = True) -> Markup:
    """Lines and marks over a common axis; those of one name have one colour."""
    scale = _scale(axis, [y for each in series for _, y in each.points], from_zero)
    names = list(dict.fromkeys(each.name for each in series))
    # Marks are drawn last, over the lines.
    drawn = [
        _drawn(each, names.index(each.name), scale) for each in sorted(series, key=lambda one: one.marks)
    ]
    return _figure(title, scale, drawn)


def areas(title: str, series: Sequence[Series], axis: Axis, limit: float | None = None) -> Markup:
    """Areas that lie on one another, the first lowest, with the same places; ``limit`` is a dashed line."""
    tops = [0.0] * len(series[0].points)
    layers = []
    for each in series:
        below, tops = tops, [top + y for top, (_, y) in zip(tops, each.points, strict=True)]
        layers.append((each, below, tops))
    scale = _scale(axis, [*tops, limit or 0.0], from_zero=True)
    drawn = []
    for number, (each, below, above) in enumerate(layers):
        places = [x for x, _ in each.points]
        there = _path(zip(places, above, strict=True), scale)
        back = _path(zip(reversed(places), reversed(below), strict=True), scale)
        drawn.append(f'<path class="area s{number}" d="M{there}L{back}Z"/>')
    if limit is not None:
        y = f"{scale.y(limit):.1f}"
        drawn.append(f'<line class="limit" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y}" y2="{y}"/>')
    return _figure(title, scale, drawn)


def bars(title: str, groups: Sequence[str], series: Sequence[tuple[str, Sequence[float]]]) -> Markup:
    """Standing bars, side by side in each group."""
    axis = Axis([(number + 0.5, name) for number, name in enumerate(groups)], 0, len(groups))
    scale = _scale(axis, [value for _, values in series for value in values], from_zero=True)
    each, base = 0.8 / len(series), scale.y(0)
    drawn = []
    for number, (_, values) in enumerate(series):
        for group, value in enumerate(values):
            x, y = scale.x(group + 0.1 + number * each), scale.y(value)
            width = scale.x(each) - scale.x(0)
            drawn.append(
                f'<rect class="bar s{number}" x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" '
                f'height="{max(base - y, THIN):.1f}"/>'
            )
    return _figure(title, scale, drawn)


def ticks(low: float, high: float, most: int = TICKS) -> list[float]:
    """Round values from ``low`` to ``high``, not more than ``most`` steps."""
    rough = (high - low) / most or 1.0
    power = 10.0 ** floor(log10(rough))
    step = next(each * power for each in NICE if each * power >= rough * (1 - 1e-9))
    first = floor(low / step + 1e-9)
    count = int((high - first * step) / step + 1 - 1e-9)
    return [(first + number) * step for number in range(count + 1)]


def _scale(axis: Axis, values: Sequence[float], from_zero: bool) -> Scale:
    low, high = 0.0 if from_zero else min(values, default=0.0), max(values, default=1.0)
    # A figure of nothing but zeros has a height all the same.
    found = ticks(low, high if high > low else low + 1.0)
    return Scale(axis, found[0], found[-1])


def _drawn(series: Series, number: int, scale: Scale) -> str:
    if series.marks:
        places = ((scale.x(x), scale.y(y)) for x, y in series.points)
        return "\n".join(
            f'<circle class="mark s{number}" cx="{x:.1f}" cy="{y:.1f}" r="5"/>' for x, y in places
        )
    points: Iterable[Point] = series.points
    if series.steps:
        corners = [[(x, y), (then, y)] for (x, y), (then, _) in pairwise(series.points)]
        points = [point for corner in corners for point in corner] + list(series.points[-1:])
    return f'<path class="line s{number}" d="M{_path(points, scale)}"/>'


def _path(points: Iterable[Point], scale: Scale) -> str:
    """The places from the second on are lines; so many are in a line of the file."""
    places = [f"{scale.x(x):.1f} {scale.y(y):.1f}" for x, y in points]
    return "\nL".join("L".join(places[at : at + IN_LINE]) for at in range(0, len(places), IN_LINE))


def _figure(title: str, scale: Scale, drawn: Sequence[str]) -> Markup:
    said = _words(scale)
    rows = (_row(value, said(value), scale) for value in ticks(scale.low, scale.high))
    columns = (_column(number, *tick, scale) for number, tick in enumerate(scale.axis.ticks))
    # Everything in it is made here, but for words that are escaped.
    return Markup(
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(title)}">'
        "\n" + "\n".join([*rows, *columns, *drawn]) + "\n</svg>"
    )


def _words(scale: Scale) -> Callable[[float], str]:
    """How values on the left are written: with as many decimals as their steps have."""
    found = ticks(scale.low, scale.high)
    step = found[1] - found[0]
    decimals = next((n for n in range(9) if abs(round(step, n) - step) < step * 1e-6), 9)
    return lambda value: f"{value:,.{decimals}f}"


def _row(value: float, words: str, scale: Scale) -> str:
    y = scale.y(value)
    return (
        f'<line class="rule" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
        f'<text class="left" x="{LEFT - 8}" y="{y + 5:.1f}">{words}</text>'
    )


def _column(number: int, place: float, words: str, scale: Scale) -> str:
    """A tick's words; a narrow page leaves out every other one that is long."""
    x = scale.x(place)
    edge = "first" if x < LEFT + EDGE else "last" if x > WIDTH - RIGHT - EDGE else "middle"
    edge += " odd" if number % 2 and len(words) > SHORT else ""
    return f'<text class="{edge}" x="{x:.1f}" y="{HEIGHT - BOTTOM + 24}">{escape(words)}</text>'
