"""Figures of a benchmark as a picture (SVG), without a library: lines over the number of viewers.

Three panels share the horizontal axis: CPU a packet, delay (p50 and p99), memory a viewer.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

from tertulia.bench_options import Result

_WIDTH, _HEIGHT = 640, 200
_LEFT, _RIGHT, _TOP, _BOTTOM = 70, 20, 34, 34
_COLOURS = ("#1f6f8b", "#c0562f")


@dataclass(frozen=True, slots=True)
class _Line:
    name: str
    value: Callable[[Result], float]


_PANELS: tuple[tuple[str, tuple[_Line, ...]], ...] = (
    ("CPU a packet, µs", (_Line("server", lambda result: result.cpu_us_per_packet),)),
    (
        "Delay, ms",
        (_Line("p50", lambda result: result.delay_p50_ms), _Line("p99", lambda result: result.delay_p99_ms)),
    ),
    ("Memory a viewer, KiB", (_Line("resident", lambda result: result.memory_kib_per_viewer),)),
)


def render(results: Sequence[Result], title: str) -> str:
    """The picture. ``results`` are drawn by their viewers, evenly spaced; ``title`` says machine and date."""
    ordered = sorted(results, key=lambda result: result.viewers)
    height = _HEIGHT * len(_PANELS) + 30
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{height}" '
        f'viewBox="0 0 {_WIDTH} {height}" font-family="sans-serif" font-size="12">',
        f'<rect width="{_WIDTH}" height="{height}" fill="#fff"/>',
        f'<text x="{_LEFT}" y="18" font-weight="bold">{escape(title)}</text>',
    ]
    for number, (name, lines) in enumerate(_PANELS):
        parts += _panel(ordered, name, lines, 24 + number * _HEIGHT)
    return "\n".join([*parts, "</svg>", ""])


def _panel(results: Sequence[Result], name: str, lines: Sequence[_Line], top: int) -> list[str]:
    bottom = top + _HEIGHT - _BOTTOM
    most = max((line.value(result) for line in lines for result in results), default=0.0)
    most = most * 1.1 or 1.0

    def x(index: int) -> float:
        span = _WIDTH - _LEFT - _RIGHT
        return _LEFT + (span / 2 if len(results) == 1 else span * index / (len(results) - 1))

    def y(value: float) -> float:
        return bottom - (bottom - top - _TOP) * value / most

    parts = [f'<text x="{_LEFT}" y="{top + 20}">{escape(name)}</text>']
    for share in (0.0, 0.5, 1.0):
        value = most * share
        parts.append(
            f'<line x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y(value):.1f}" y2="{y(value):.1f}" stroke="#ddd"/>'
            f'<text x="{_LEFT - 6}" y="{y(value) + 4:.1f}" text-anchor="end">{value:.3g}</text>'
        )
    for index, result in enumerate(results):
        parts.append(f'<text x="{x(index):.1f}" y="{bottom + 16}" text-anchor="middle">{result.viewers}</text>')
    for colour, line in zip(_COLOURS, lines, strict=False):
        points = [(x(index), y(line.value(result))) for index, result in enumerate(results)]
        path = " ".join(f"{px:.1f},{py:.1f}" for px, py in points)
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts += [f'<circle cx="{px:.1f}" cy="{py:.1f}" r="3" fill="{colour}"/>' for px, py in points]
        px, py = points[-1]
        parts.append(f'<text x="{px - 6:.1f}" y="{py - 8:.1f}" text-anchor="end" fill="{colour}">{line.name}</text>')
    return parts
