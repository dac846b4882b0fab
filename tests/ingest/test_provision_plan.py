"""What is to be provisioned, and the steps to it: plain data in, plain data out."""

import re

import pytest

from decoders.quantity import Privacy, Quantity
from ingest.fleet.ledger import Entry, Tally, gateway_fields
from ingest.influxdb.downsampling import Aggregate, Downsampling, aggregate, fields, flux_task, measurements
from ingest.influxdb.provision_plan import (
    DAY_S,
    READER,
    WRITER,
    Access,
    Bucket,
    ChangeAccess,
    ChangeRetention,
    CreateAccess,
    CreateBucket,
    CreateDownsampling,
    Found,
    Wanted,
    steps,
    wanted,
)
from ingest.settings import InfluxSettings

BERLIN = "Europe/Berlin"


def text(downsampling: Downsampling) -> str:
    """A downsampling as some server might write it."""
    return f'CREATE "{downsampling.name}" AS Mean'


def everything(what: Wanted) -> Found:
    """A server that has all of it."""
    return Found(
        {bucket.name: bucket.kept_s for bucket in what.buckets},
        {each.name: text(each) for each in what.downsamplings},
        {access.name: access for access in what.access},
    )


def test_each_class_has_its_bucket_and_open_and_internal_their_hours_and_days() -> None:
    """Personal readings are kept a month and nowhere else, open ones and daily values for ever."""
    what = wanted(InfluxSettings(), BERLIN)
    assert {bucket.name: bucket.kept_s // DAY_S for bucket in what.buckets} == {
        "stadtfunk_open": 0,
        "stadtfunk_internal": 365,
        "stadtfunk_personal": 30,
        "stadtfunk_open_hourly": 1830,
        "stadtfunk_open_daily": 0,
        "stadtfunk_internal_hourly": 1830,
        "stadtfunk_internal_daily": 0,
    }
    assert {each.source for each in what.downsamplings} == {"stadtfunk_open", "stadtfunk_internal"}
    assert len({each.name for each in what.downsamplings}) == len(what.downsamplings)


def test_radio_and_devices_are_not_among_the_open_ones() -> None:
    """They are at least internal, so no open bucket ever holds them."""
    found = {(each.source, each.measurement) for each in wanted(InfluxSettings(), BERLIN).downsamplings}
    assert ("stadtfunk_internal", "link") in found
    assert ("stadtfunk_internal", "gateway") in found
    assert not {("stadtfunk_open", name) for name in ("link", "device", "gateway")} & found


def test_a_policy_of_1_8_stays_a_policy() -> None:
    """Classes that share a database keep their own policies in another database, where DELETE leaves them alone."""
    what = wanted(InfluxSettings(bucket_open="stadt/open", bucket_internal="stadt/internal"), BERLIN)
    names = {bucket.name for bucket in what.buckets}
    assert {"stadt/open", "stadt_hourly/open", "stadt_daily/internal"} <= names


def test_classes_in_one_bucket_are_kept_as_the_strictest() -> None:
    """Nor are they downsampled, when personal readings are among them."""
    names = dict.fromkeys(("bucket_open", "bucket_internal", "bucket_personal"), "all")
    what = wanted(InfluxSettings.model_validate(names), BERLIN)
    assert what.buckets == (Bucket("all", 30 * DAY_S),)
    assert what.downsamplings == ()
    assert what.access == (Access(WRITER, writes=("all",)),)


def test_the_writer_writes_readings_only_and_the_reader_reads_nothing_personal() -> None:
    """Neither can do what the other does."""
    writer, reader = wanted(InfluxSettings(), BERLIN, readers={READER}).access
    assert writer == Access(WRITER, ("stadtfunk_open", "stadtfunk_internal", "stadtfunk_personal"), ())
    assert reader.writes == ()
    assert "stadtfunk_personal" not in reader.reads
    assert {"stadtfunk_open", "stadtfunk_open_daily"} <= set(reader.reads)


def test_a_reader_of_one_class_reads_that_class_alone() -> None:
    """With its hourly and daily values; a bucket that classes share belongs to the strictest of them."""
    readers = [f"{READER}_{privacy.name.lower()}" for privacy in Privacy]
    _, *access = wanted(InfluxSettings(), BERLIN, readers=readers).access
    assert {each.name: each.reads for each in access} == {
        f"{READER}_open": ("stadtfunk_open", "stadtfunk_open_hourly", "stadtfunk_open_daily"),
        f"{READER}_internal": ("stadtfunk_internal", "stadtfunk_internal_hourly", "stadtfunk_internal_daily"),
        f"{READER}_personal": ("stadtfunk_personal",),
    }
    shared = InfluxSettings(bucket_open="all", bucket_personal="all")
    _, reader = wanted(shared, BERLIN, readers={f"{READER}_open"}).access
    assert reader.reads == ()


def test_an_empty_server_gets_all_and_a_full_one_nothing() -> None:
    """Buckets before what goes into them, rights last; whatever was made is not made again."""
    what = wanted(InfluxSettings(), BERLIN)
    plan = steps(what, Found({}, {}, {}), text)
    assert len(plan) == len(what.buckets) + len(what.downsamplings) + len(what.access)
    order = [CreateBucket, CreateDownsampling, CreateAccess]
    kinds = [order.index(type(step)) for step in plan]
    assert kinds == sorted(kinds)
    assert steps(what, everything(what), text) == []


def test_a_server_without_control_of_access_gets_no_access() -> None:
    """Where everybody may do everything, a user changes nothing."""
    what = wanted(InfluxSettings(), BERLIN)
    assert not any(isinstance(step, CreateAccess) for step in steps(what, Found({}, {}, None), text))


@pytest.mark.parametrize(
    ("before_s", "said"),
    [
        (0, "keep points 30 days instead of for ever; OLDER ONES WILL BE DELETED"),
        (31 * DAY_S, "30 days instead of 31 days; OLDER ONES WILL BE DELETED"),
        (3600, "keep points 30 days instead of 3600 s"),
    ],
)
def test_another_retention_is_changed_and_said(before_s: int, said: str) -> None:
    """Whoever reads the plan learns what will be deleted."""
    what = wanted(InfluxSettings(), BERLIN)
    found = everything(what)
    found = found._replace(buckets={**found.buckets, "stadtfunk_personal": before_s})
    assert steps(what, found, text) == [ChangeRetention(Bucket("stadtfunk_personal", 30 * DAY_S), before_s)]
    assert said in steps(what, found, text)[0].describe()
    assert ("DELETED" in steps(what, found, text)[0].describe()) == ("DELETED" in said)


def test_another_downsampling_is_replaced_and_other_marks_are_none() -> None:
    """What a server repeats without quotation marks and in other capitals is the same; another text is not."""
    what = wanted(InfluxSettings(), BERLIN)
    found = everything(what)
    first, second, third = (each.name for each in what.downsamplings[:3])
    texts = {**found.downsamplings, first: f"create {first}  as mean", second: "create x as mean"}
    plan = steps(what, found._replace(downsamplings=texts, inactive=frozenset({third})), text)
    assert [(type(step), step.describe().split()[0]) for step in plan] == [(CreateDownsampling, "replace")] * 2
    assert [step.downsampling.name for step in plan if isinstance(step, CreateDownsampling)] == [second, third]


def test_other_rights_are_set_right() -> None:
    """More rights than wanted are taken away, missing ones given; the order says nothing."""
    what = wanted(InfluxSettings(), BERLIN, readers={READER})
    writer, reader = what.access
    more = Access(WRITER, (*reversed(writer.writes), "other"), ())
    found = everything(what)._replace(
        access={WRITER: more, READER: Access(READER, (), reader.reads[::-1])}, renews=True
    )
    plan = steps(what, found, text)
    assert plan == [ChangeAccess(writer, more, renews=True)]
    assert "THE OLD ONE ENDS" in plan[0].describe()


def test_every_quantity_has_its_aggregate() -> None:
    """Counts sum up, counters stay at their last value, levels and alarms at their highest, all else is the mean."""
    assert aggregate(Quantity.VEHICLE_COUNT) is Aggregate.SUM
    assert aggregate(Quantity.PEOPLE_COUNT_TOTAL) is Aggregate.LAST
    assert aggregate(Quantity.FILL_LEVEL) is Aggregate.MAX
    assert aggregate(Quantity.AIR_TEMPERATURE) is Aggregate.MEAN
    for quantity in Quantity:
        if quantity.field.endswith("_total"):
            assert aggregate(quantity) is Aggregate.LAST
        elif quantity.ucum not in {"1", "s", "min", "deg", "m", "mm"}:
            assert aggregate(quantity) in {Aggregate.MEAN, Aggregate.MAX}
    assert aggregate(Quantity.PRECIPITATION) is Aggregate.SUM


def test_every_quantity_is_downsampled_where_it_may_be() -> None:
    """Diagnostics under `device`, all else under the families; what is internal nowhere among the open ones."""
    for quantity in Quantity:
        place = "device" if quantity.diagnostic else "environment"
        assert quantity.field in fields(place, Privacy.INTERNAL)
        if not quantity.diagnostic and quantity.privacy is Privacy.INTERNAL:
            assert quantity.field not in fields("environment", Privacy.OPEN)
    assert all(fields(name, privacy) for privacy in (Privacy.OPEN, Privacy.INTERNAL) for name in measurements(privacy))


def test_the_fields_that_code_writes_beside_quantities_are_known() -> None:
    """A gateway's hour and a device's day."""
    assert gateway_fields(Tally(2, -200.0, 10.0), 4).keys() == fields("gateway", Privacy.INTERNAL).keys()
    counts = set(Entry._fields) - {"device", "model", "application", "asset", "district", "privacy"}
    assert counts <= fields("device", Privacy.INTERNAL).keys()


def test_a_task_takes_the_place_of_no_tag() -> None:
    """What it adds to a row is named as no tag is: the server's own columns begin with a mark, too."""
    for each in wanted(InfluxSettings(), BERLIN).downsamplings:
        added = re.findall(r"(?m)^ {8}(\w+): ", flux_task(each))
        assert bool(added) is (each.measurement not in {"gateway", "link"})
        assert all(name.startswith("_") for name in added), added


@pytest.mark.parametrize(
    ("kept", "sparse", "shard"),
    [
        (0, False, 7),
        (365, False, 7),
        (180, False, 7),
        (179, False, 1),
        (1, False, 1),
        (0, True, 364),
        (1830, True, 28),
        (28, True, 28),
        (27, True, 1),
        (1, True, 1),
    ],
)
def test_a_shard_is_never_longer_than_points_are_kept(kept: int, shard: int, *, sparse: bool) -> None:
    """Days kept, days of a shard."""
    assert Bucket("b", kept * DAY_S, sparse).shard_s == shard * DAY_S


def test_a_task_reads_whole_intervals_in_the_citys_time() -> None:
    """Every field is in one stream, the first interval is whole, and days are the city's."""
    wanted_one = next(
        each
        for each in wanted(InfluxSettings(), BERLIN).downsamplings
        if each.measurement == "traffic" and each.interval.name == "daily" and each.source == "stadtfunk_open"
    )
    task = flux_task(wanted_one)
    assert 'option task = {name: "stadtfunk_open_traffic_daily", every: 6h, offset: 1m}' in task
    assert 'option location = timezone.location(name: "Europe/Berlin")' in task
    assert "range(start: date.truncate(t: -4d, unit: 1d))" in task
    assert task.count('to(bucket: "stadtfunk_open_daily")') == task.count("aggregateWindow(every: 1d") == 4
    for field in fields("traffic", Privacy.OPEN):
        assert (
            task.count(f"({field})") + task.count(f"({field}|") + task.count(f"|{field}|") + task.count(f"|{field})")
            == 1
        )
