"""What rules said then and would say now, as a picture: a line for each rule and subject, a mark for each event."""

from collections.abc import Sequence
from datetime import datetime
from xml.sax.saxutils import escape
from zoneinfo import ZoneInfo

from ingest.decisions.replay import Finding, Verdict

COLOURS: dict[Verdict, str] = {"same": "#9aa5b1", "different": "#e0a100", "missing": "#c0392b", "additional": "#2471a3"}
WIDTH, LEFT, TOP, ROW = 1200, 320, 40, 22
TICKS = 6


def svg(findings: Sequence[Finding], from_ms: int, to_ms: int, timezone: str) -> str:
    """An SVG picture of [from_ms, to_ms), times in this zone; marks tell verdict, time and id when pointed at."""
    rows = sorted({(item.said.rule, item.said.subject) for item in findings})
    places = {key: TOP + ROW * (index + 1) for index, key in enumerate(rows)}
    height = TOP + ROW * (len(rows) + 2)
    size = f'width="{WIDTH}" height="{height}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="sans-serif" font-size="12">',
        f'<rect {size} fill="white"/>',
        *_legend(),
        *_axis(from_ms, to_ms, height, ZoneInfo(timezone)),
    ]
    for (rule, subject), y in places.items():
        parts.append(f'<text x="8" y="{y + 4}">{escape(f"{rule} {subject}")}</text>')
        parts.append(f'<line x1="{LEFT}" y1="{y}" x2="{WIDTH - 20}" y2="{y}" stroke="#e5e8eb"/>')
    parts += [_mark(item, places[item.said.rule, item.said.subject], from_ms, to_ms) for item in findings]
    return "\n".join([*parts, "</svg>", ""])


def _mark(finding: Finding, y: int, from_ms: int, to_ms: int) -> str:
    verdict, said = finding
    x = _x(datetime.fromisoformat(said.time).timestamp() * 1000, from_ms, to_ms)
    title = escape(f"{verdict} {said.time} {said.id}")
    return f'<circle cx="{x:.1f}" cy="{y}" r="4" fill="{COLOURS[verdict]}"><title>{title}</title></circle>'


def _legend() -> list[str]:
    found = []
    for number, (verdict, colour) in enumerate(COLOURS.items()):
        x = LEFT + 130 * number
        found.append(f'<circle cx="{x}" cy="18" r="4" fill="{colour}"/><text x="{x + 10}" y="22">{verdict}</text>')
    return found


def _axis(from_ms: int, to_ms: int, height: int, zone: ZoneInfo) -> list[str]:
    found = []
    for number in range(TICKS + 1):
        time_ms = from_ms + (to_ms - from_ms) * number // TICKS
        x = _x(time_ms, from_ms, to_ms)
        label = datetime.fromtimestamp(time_ms / 1000, zone).strftime("%d.%m. %H:%M")
        found.append(f'<line x1="{x:.1f}" y1="{TOP}" x2="{x:.1f}" y2="{height - ROW}" stroke="#f0f2f4"/>')
        found.append(f'<text x="{x:.1f}" y="{height - 6}" text-anchor="middle">{label}</text>')
    return found


def _x(time_ms: float, from_ms: int, to_ms: int) -> float:
    return LEFT + (WIDTH - 60 - LEFT) * (time_ms - from_ms) / (to_ms - from_ms)
