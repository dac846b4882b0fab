"""What rules said then and would say now, as a picture: a line for each rule and subject, a mark for each event."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from ingest.decisions.replay import Finding, Verdict
from rules.svg import Point, Size, circle, line, picture, text, titled

COLOURS: dict[Verdict, str] = {"same": "#9aa5b1", "different": "#e0a100", "missing": "#c0392b", "additional": "#2471a3"}
WIDTH, LEFT, TOP, ROW = 1200, 320, 40, 22
TICKS = 6


def svg(findings: Sequence[Finding], from_ms: int, to_ms: int, timezone: str) -> str:
    """An SVG picture of [from_ms, to_ms), times in this zone; marks tell verdict, time and id when pointed at."""
    rows = sorted({(item.said.rule, item.said.subject) for item in findings})
    places = {key: TOP + ROW * (index + 1) for index, key in enumerate(rows)}
    height = TOP + ROW * (len(rows) + 2)
    parts = [*_legend(), *_axis(from_ms, to_ms, height, ZoneInfo(timezone))]
    for (rule, subject), y in places.items():
        parts.append(text(Point(8, y + 4), f"{rule} {subject}"))
        parts.append(line(Point(LEFT, y), Point(WIDTH - 20, y), stroke="#e5e8eb"))
    parts += [_mark(item, places[item.said.rule, item.said.subject], from_ms, to_ms) for item in findings]
    counts = Counter(item.verdict for item in findings)
    told = ", ".join(f"{counts[verdict]} {verdict}" for verdict in COLOURS)
    return picture(Size(WIDTH, height), f"What rules said and would say now: {told}", parts)


def _mark(finding: Finding, y: int, from_ms: int, to_ms: int) -> str:
    verdict, said = finding
    x = _x(datetime.fromisoformat(said.time).timestamp() * 1000, from_ms, to_ms)
    return circle(Point(x, y), 4, titled(f"{verdict} {said.time} {said.id}"), fill=COLOURS[verdict])


def _legend() -> list[str]:
    found = []
    for number, (verdict, colour) in enumerate(COLOURS.items()):
        x = LEFT + 130 * number
        found += [circle(Point(x, 18), 4, fill=colour), text(Point(x + 10, 22), verdict)]
    return found


def _axis(from_ms: int, to_ms: int, height: int, zone: ZoneInfo) -> list[str]:
    found = []
    for number in range(TICKS + 1):
        time_ms = from_ms + (to_ms - from_ms) * number // TICKS
        x = _x(time_ms, from_ms, to_ms)
        label = datetime.fromtimestamp(time_ms / 1000, zone).strftime("%d.%m. %H:%M")
        found.append(line(Point(x, TOP), Point(x, height - ROW), stroke="#f0f2f4"))
        found.append(text(Point(x, height - 6), label, text_anchor="middle"))
    return found


def _x(time_ms: float, from_ms: int, to_ms: int) -> float:
    return LEFT + (WIDTH - 60 - LEFT) * (time_ms - from_ms) / (to_ms - from_ms)
