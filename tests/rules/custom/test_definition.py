"""A rule's table: what is refused, with the key that is wrong."""

from typing import Any

import pytest
from pydantic import ValidationError

from rules.city import City
from rules.custom.config import CustomError
from rules.custom.rules import check_subjects, custom_rules
from tests.rules.custom.scene import rule, station

VALVE = {"device": "70b3d50000000002", "f_port": 2, "payload": "0101"}


@pytest.mark.parametrize(
    ("changes", "key", "reason"),
    [
        ({"nmae": "x"}, (), "unknown key 'nmae'; did you mean 'name'?"),
        ({"name": "Dust"}, ("name",), "pattern"),
        ({"name": None}, ("name",), "required"),
        ({"kind": "statoin"}, ("kind",), "unknown kind; known are"),
        ({"text_de": None}, ("text_de",), "required"),
        ({"text_en": ""}, ("text_en",), "at least 1"),
        ({"severity": "bad"}, ("severity",), "'info'"),
        ({"fresh_s": 10}, ("fresh_s",), "60"),
        ({"hysteresis": {"pm10": -1.0}}, ("hysteresis",), "above 0"),
        ({"hysteresis": {"pm10": 1.0}, "until": "pm10 < 1.0"}, (), "either `until` or `hysteresis`"),
        ({"event": False}, (), "expected an action"),
        ({"event": False, "annotate": True, "downlink": VALVE}, (), "`annotate` needs `event`"),
        ({"downlink": VALVE | {"model": "a/b"}}, ("downlink",), "either `device` or `model`"),
        ({"downlink": {"f_port": 1, "payload": ""}}, ("downlink",), "either `device` or `model`"),
        ({"downlink": VALVE | {"f_port": 224}}, ("downlink", "f_port"), "223"),
        ({"downlink": VALVE | {"payload": "0"}}, ("downlink", "payload"), "pattern"),
        ({"downlink": VALVE | {"payload": "00" * 223}}, ("downlink", "payload"), "444"),
        ({"downlink": VALVE | {"valid_s": 1801}}, ("downlink", "valid_s"), "1800"),
        ({"schedule": {"days": ["Mi"]}}, ("schedule", "days"), "'Mi' is no day"),
        ({"schedule": {"days": []}}, ("schedule", "days"), "at least 1"),
        ({"schedule": {"from": "24:01"}}, ("schedule", "from"), "no time of day"),
        ({"schedule": {"to": "7"}}, ("schedule", "to"), "no time of day"),
        ({"schedule": {"holidays": "maybe"}}, ("schedule", "holidays"), "like_sunday"),
        ({"schedule": {"begin": "07:00"}}, ("schedule",), "unknown key 'begin'"),
    ],
)
def test_a_wrong_key_is_named(changes: dict[str, Any], key: tuple[str, ...], reason: str) -> None:
    """Unknown keys with the nearest known one, values with what was expected."""
    with pytest.raises(ValidationError) as caught:
        rule(**changes)
    (error,) = caught.value.errors()
    assert error["loc"] == key
    assert reason in error["msg"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"units": {}}, "units: pm10 is missing; it is in ug/m3"),
        ({"units": {"pm10": "mg/m3"}}, "units: pm10 is in ug/m3, not in 'mg/m3'"),
        ({"units": {"pm10": "ug/m3", "pm1": "ug/m3"}}, "units: the condition does not read pm1"),
        ({"units": {"pm10": "ug/m3", "dust": "1"}}, "units: unknown quantity 'dust'; did you mean"),
        ({"when": "pm10 > 50"}, "when: column 6: found no matching overload"),
        ({"when": "pm10 > 50.0 &&\npm10"}, "when: column 13: found no matching overload"),
        ({"when": "pm10 > 50.0 &&\npm10 > 5"}, "when: line 2 of it, column 6: found no matching"),
        ({"until": "pm10 <"}, "until: column 7: Syntax error"),
        ({"hysteresis": {"wind_speed": 1.0}}, "hysteresis: `when` compares wind_speed with no number"),
        ({"hysteresis": {"pm10": 1.0}, "when": 'count("pm10", "1h") > 5.0'}, "hysteresis: `when` compares pm10"),
        ({"text_de": "{pm1}"}, "text_de: unknown {pm1}; known are asset, name, pm10"),
        ({"text_en": "{pm10:.1f}"}, "text_en: {pm10} is no plain name"),
        ({"text_en": "{name.__class__}"}, "text_en: {name.__class__} is no plain name"),
        ({"text_en": "{pm10"}, "text_en: expected '}'"),
    ],
)
def test_what_does_not_fit_together_is_named(changes: dict[str, Any], message: str) -> None:
    """Units of every quantity read and of no other, expressions by column, texts by placeholder."""
    with pytest.raises(CustomError) as caught:
        custom_rules([rule(**({"text_de": "x", "text_en": "x"} | changes))])
    assert str(caught.value).startswith(message)


def test_units_may_be_written_as_printed() -> None:
    """The UCUM code or the printed unit."""
    assert [each.id for each in custom_rules([rule(units={"pm10": "µg/m³"})])] == ["custom.dust"]


def test_subjects_must_be_assets_of_the_kind() -> None:
    """An id that the city does not have, or has as something else."""
    city = City([station("st-1")])
    check_subjects(rule(subjects=["st-1"]), city)
    for wrong in (rule(subjects=["st-1", "st-2"]), rule(kind="lot", subjects=["st-1"])):
        with pytest.raises(CustomError, match="of the city"):
            check_subjects(wrong, city)
