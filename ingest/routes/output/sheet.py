"""The tour sheet: a page for each vehicle to print and tick off, one HTML file without anything from outside."""

from collections.abc import Iterable, Iterator
from html import escape

from ingest.routes.output import words
from ingest.routes.output.halts import Halt, Trip, left_out, trips
from ingest.routes.output.remarks import concerns, notes, remarks, summary
from ingest.routes.output.words import Language, plain, said
from rules.waste.route.day_plan import DayPlan

STYLE = """
@page { size: A4; margin: 12mm }
* { box-sizing: border-box }
body { font: 10.5pt/1.35 sans-serif; color: #000; background: #fff; margin: 0 auto; max-width: 186mm }
section { break-after: page }
section:last-of-type { break-after: auto }
h1 { font-size: 15pt; margin: 0 0 1mm }
h2 { font-size: 13pt; margin: 0 0 2mm }
h3 { font-size: 11pt; margin: 0 0 1mm }
p, ul { margin: 0 0 2mm }
ul { padding-left: 5mm }
.concern { border: 1.5pt solid #000; padding: 1.5mm 2mm; font-weight: bold }
table { border-collapse: collapse; width: 100% }
thead { display: table-header-group }
tr { break-inside: avoid }
th, td { border: 0.5pt solid #666; padding: 1.2mm 1.5mm; text-align: left; vertical-align: top }
th { background: #e8e8e8; print-color-adjust: exact; -webkit-print-color-adjust: exact }
td.figure { text-align: right; white-space: nowrap }
td.why { min-width: 50mm }
td.remarks { min-width: 30mm }
td.skipped { width: 24mm }
tr.whose th { font-weight: normal; font-size: 8.5pt; background: none; border: none; padding: 0 0 1mm }
td small { display: block; color: #333 }
tr.other td { background: #f3f3f3; print-color-adjust: exact; -webkit-print-color-adjust: exact }
input { width: 5mm; height: 5mm; margin: 0 }
footer { margin-top: 2mm; font-size: 8.5pt; color: #333 }
@media screen { body { padding: 8mm } section { margin-bottom: 12mm } }
"""
POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def sheet(plan: DayPlan, language: Language) -> str:
    """The sheets of all vehicles, then one for the depot with warnings and what is on no tour; each on its own page."""
    title = words.heading(plan, language)
    sections = [_section(plan, trip, language) for trip in trips(plan)]
    if not sections:
        sections.append(_page(plan, said(words.NO_TOUR, language), (), language))
    own = [*_warnings(plan, language), *_missed(plan, language)]
    if own:
        sections.append(_page(plan, said(words.FOR_THE_DEPOT, language), own, language))
    head = [
        "<!DOCTYPE html>",
        f'<html lang="{language}"><head><meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">',
        '<meta name="viewport" content="width=device-width">',
        f"<title>{escape(title)}</title><style>{STYLE}</style></head><body>",
    ]
    return "\n".join([*head, *sections, "</body></html>"]) + "\n"


def _section(plan: DayPlan, trip: Trip, language: Language) -> str:
    told = (f"<li>{escape(line)}</li>" for line in notes(plan, trip, language))
    body = [
        f"<ul>{''.join(told)}</ul>",
        f"<p>{escape(said(words.START, language))}: {escape(trip.start.name)}</p>",
        "<table>",
        _header(plan, trip, language),
        "<tbody>",
        *(_row(plan, halt, language) for halt in trip.halts),
        "</tbody></table>",
    ]
    return _page(plan, summary(trip, language, drivable=plan.solution.drivable), body, language)


def _page(plan: DayPlan, name: str, body: Iterable[str], language: Language) -> str:
    concern = "".join(f'<p class="concern">{escape(line)}</p>' for line in concerns(plan, language))
    heading = escape(words.heading(plan, language))
    foot = f"<footer>{escape(said(words.PLAN, language))} {escape(plain(plan.id))}</footer>"
    return "\n".join(["<section>", f"<h1>{heading}</h1><h2>{escape(name)}</h2>", concern, *body, foot, "</section>"])


def _header(plan: DayPlan, trip: Trip, language: Language) -> str:
    """What stands on every sheet of paper: whose it is, and what the columns are."""
    columns = [words.DONE, words.NUMBER, words.CONTAINER, words.WHY, words.LEVEL, words.REMARKS]
    columns += [words.ARRIVAL] if plan.solution.drivable else []
    columns += [words.SKIPPED]
    cells = "".join(f'<th scope="col">{escape(said(column, language))}</th>' for column in columns)
    whose = escape(f"{trip.name} · {words.heading(plan, language)}")
    return f'<thead><tr class="whose"><th colspan="{len(columns)}">{whose}</th></tr><tr>{cells}</tr></thead>'


def _row(plan: DayPlan, halt: Halt, language: Language) -> str:
    stop = halt.kind == "stop"
    label = escape(f"{halt.number} {halt.spot.name}")
    cells = [
        f'<td><input type="checkbox" aria-label="{label}"></td>',
        f'<td class="figure">{halt.number}</td>',
        f"<td>{_named(halt)}</td>",
        f'<td class="why">{_kept_together(halt.reason(language))}</td>',
        f'<td class="figure">{escape(words.level(halt.why, language)) if halt.why else ""}</td>',
        f'<td class="remarks">{"<br>".join(map(_kept_together, _remarks(plan, halt, language)))}</td>',
    ]
    if halt.arrival_s is not None:
        cells.append(f'<td class="figure">{words.clock(plan, halt.arrival_s)}</td>')
    cells.append('<td class="skipped"></td>' if stop else "<td></td>")
    opening = "<tr>" if stop else '<tr class="other">'
    return f"{opening}{''.join(cells)}</tr>"


def _kept_together(text: str) -> str:
    """A text with its figures and their % on one line."""
    return escape(text).replace(" %", "&nbsp;%")


def _named(halt: Halt) -> str:
    below = [halt.spot.id] if halt.spot.id != halt.spot.name else []
    below += [halt.spot.district] if halt.spot.district else []
    small = f"<small>{escape(', '.join(below))}</small>" if below else ""
    return f"{escape(halt.spot.name)}{small}"


def _remarks(plan: DayPlan, halt: Halt, language: Language) -> Iterator[str]:
    if halt.kind == "stop":
        yield said(words.MANDATORY if halt.mandatory else words.OPTIONAL, language)
    yield from remarks(plan, halt, language)


def _warnings(plan: DayPlan, language: Language) -> Iterator[str]:
    if plan.warnings:
        yield f"<ul>{''.join(f'<li>{escape(plain(said(line, language)))}</li>' for line in plan.warnings)}</ul>"


def _missed(plan: DayPlan, language: Language) -> Iterator[str]:
    found = left_out(plan)
    if not found:
        return
    columns = "".join(f'<th scope="col">{escape(said(text, language))}</th>' for text in (words.CONTAINER, words.WHY))
    yield f"<h3>{escape(said(words.NOT_SERVED, language))}</h3>"
    yield f"<table><thead><tr>{columns}</tr></thead><tbody>"
    for one in found:
        small = f"<small>{escape(one.id)}</small>" if one.id != one.name else ""
        yield f"<tr><td>{escape(one.name)}{small}</td><td>{escape(one.text(language))}</td></tr>"
    yield "</tbody></table>"
