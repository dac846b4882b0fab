"""Events built from values that need no check: a rule that speaks with every uplink cannot validate each time.

Nothing is checked and nothing converted. Whoever builds gives every field, in the order of the model's fields and in
its own type (floats as floats, tuples as tuples), within the field's bounds; a test compares what is built with what
`model_validate` makes of the same values.
"""

from functools import cache
from typing import TypeVar

from pydantic import BaseModel

M = TypeVar("M", bound=BaseModel)
set_attribute = object.__setattr__


def built(kind: type[M], values: dict[str, object]) -> M:
    """A model with these values as they are; the dictionary is the model's own from then on."""
    made = kind.__new__(kind)
    set_attribute(made, "__dict__", values)
    set_attribute(made, "__pydantic_fields_set__", _names(kind))
    set_attribute(made, "__pydantic_extra__", None)
    set_attribute(made, "__pydantic_private__", None)
    return made


@cache
def _names(kind: type[BaseModel]) -> set[str]:
    return set(kind.model_fields)
