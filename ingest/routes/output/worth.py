"""What a plan is worth, in a line: its cost, how far from a bound that no plan undercuts, and from the plan before."""

from typing import Final

from ingest.routes.output import words
from ingest.routes.output.words import Language, said
from rules.waste.route.solution import Solution
from rules.waste.words import Words

COST: Final = Words("Kosten {} €", "cost {} EUR")
GAP: Final = Words("höchstens {} % über dem Optimum", "at most {} % above the optimum")
NO_GAP: Final = Words(
    "ohne Schranke, weil ein Pflichtbehälter fehlt", "no bound, for a mandatory container is left out"
)
BEFORE: Final = Words("{} % gegen den Plan davor", "{} % against the plan before")


def worth(solution: Solution, language: Language) -> str:
    """The line; the bound is rough, so the plan is better than it says."""
    parts = [said(COST, language).format(words.number(solution.cost.cents / 100, 2, language))]
    gap, before = solution.gap, solution.gap_to_previous
    parts.append(
        said(NO_GAP, language) if gap is None else said(GAP, language).format(words.number(gap * 100, 1, language))
    )
    if before is not None:
        parts.append(
            said(BEFORE, language).format(f"{'+' if before > 0 else ''}{words.number(before * 100, 1, language)}")
        )
    return ", ".join(parts)
