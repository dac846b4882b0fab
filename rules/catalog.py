"""The rules of this installation, in the order in which they see an input."""

from rules.parking import lot_state
from rules.rule import AnyRule
from rules.waste import collection_due

RULES: tuple[AnyRule, ...] = (lot_state.RULE, collection_due.RULE)
