"""What is said of a plan's worth."""

from dataclasses import replace

from ingest.routes.output.worth import worth
from rules.waste.route.solution import Cost, Solution

MADE = Solution((), (), Cost(distance=80_000_000), (), drivable=True, bound=60_000_000)


def test_the_bound_and_the_plan_before_are_told() -> None:
    """A quarter above the bound, in both languages; a tenth dearer or cheaper than before with its sign."""
    assert worth(MADE, "en") == "cost 80.00 EUR, at most 25.0 % above the optimum"
    assert worth(replace(MADE, previous_cost=100_000_000), "de").endswith("-20,0 % gegen den Plan davor")
    assert "+100.0 % against the plan before" in worth(replace(MADE, previous_cost=40_000_000), "en")


def test_no_bound_while_a_mandatory_container_is_left_out() -> None:
    """Its price is no cost, and nothing is compared with it."""
    left_out = replace(MADE, cost=MADE.cost._replace(unserved=10_000_000_000))
    assert worth(left_out, "en") == "cost 80.00 EUR, no bound, for a mandatory container is left out"
