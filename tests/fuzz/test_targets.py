"""Every target takes real inputs, and refuses damaged ones with the errors of our own tree only."""

from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzz.engine import Findings, explore, seeds_of
from tests.fuzz.found import FOUND
from tests.fuzz.target import Target
from tests.fuzz.targets import BY_NAME, TARGETS

EACH = pytest.mark.parametrize("target", TARGETS, ids=[target.name for target in TARGETS])
INPUTS = 250
FOUND_BEFORE = [(name, data) for name, inputs in FOUND.items() for data in inputs]
few = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


@EACH
@few
@given(random=st.randoms(use_true_random=False))
def test_damaged_inputs(target: Target, random: Random) -> None:
    """A real input damaged as its kind is damaged: taken with right values, or refused as it may be."""
    target.takes(target.draw(random))


@EACH
@few
@given(data=st.binary(max_size=200))
def test_any_bytes(target: Target, data: bytes) -> None:
    """Bytes without any structure, alone and behind the beginning of a real input."""
    seed = target.seeds[0]
    for each in (data, seed[: len(data)] + data):
        target.takes(each)


@pytest.mark.parametrize(("name", "data"), FOUND_BEFORE, ids=[name for name, _ in FOUND_BEFORE])
def test_what_was_found(name: str, data: bytes) -> None:
    """No input that once made a target fail does so again."""
    BY_NAME[name].takes(data)


@EACH
def test_many_damaged_inputs(target: Target, tmp_path: Path) -> None:
    """The same inputs in every run, more of them where a target is wide, the odd ones among the seeds first."""
    findings = Findings(target, tmp_path)
    explore(target, len(seeds_of(target)) + int(INPUTS * target.weight), 1, findings)
    assert findings.kinds == {}


@EACH
def test_real_inputs(target: Target) -> None:
    """At least a part of the seeds is taken: a target that refuses everything would test nothing."""
    assert sum(map(target.takes, target.seeds)) > 0


def test_names_are_unique() -> None:
    """A target is chosen and reproduced by its name; what was found belongs to one."""
    assert len(BY_NAME) == len(TARGETS)
    assert FOUND.keys() <= BY_NAME.keys()
