"""How long cars stay in a lot, as figures of a day; what is known of one space ends with the stay."""

from rules.layered import put
from rules.parking.space_days_config import DaysConfig
from rules.parking.space_record import Days, Space, Stays
from rules.point import Point

HEARD_EVERY_MS = 3_600_000
"""Words of a space that change nothing are remembered once an hour."""


def heard(config: DaysConfig, days: Days, dev_eui: str, time_ms: int, *, occupied: bool) -> Days:
    """The spaces after a word of one of them that may be used."""
    before = days.spaces.get(dev_eui)
    if before is None:
        return _with(days, dev_eui, Space(time_ms, occupied, 0, 0, days.busy, days.full), int(occupied))
    if before.occupied == occupied:
        if time_ms - before.newest_ms < HEARD_EVERY_MS:
            return days
        return days._replace(spaces=put(days.spaces, dev_eui, before._replace(newest_ms=time_ms)))
    known = time_ms - before.newest_ms <= config.silent_ms
    space = before._replace(
        newest_ms=time_ms, occupied=occupied, since_ms=time_ms if known else 0, changes=before.changes + 1
    )
    if known and not occupied and before.since_ms:
        days = days._replace(stays=_ended(config, days, before.since_ms, time_ms))
    return _with(days, dev_eui, space, 1 if occupied else -1)


def at_day_end(config: DaysConfig, days: Days) -> Stays:
    """The day's stays with those that passed the limit and go on."""
    limit_ms, (begin_ms, end_ms) = config.max_stay_ms, days.day
    if limit_ms is None:
        return days.stays
    going_on = sum(
        space.occupied
        and space.since_ms > 0
        and space.newest_ms + config.silent_ms > end_ms
        and begin_ms <= space.since_ms + limit_ms < end_ms
        for space in days.spaces.values()
    )
    return days.stays._replace(over=days.stays.over + going_on)


def point(config: DaysConfig, days: Days, stays: Stays) -> Point | None:
    """The figures of the day that ends, at its begin; None when no sensor was heard.

    A mean of few stays is none, for it would tell of single cars.
    """
    begin_ms, _ = days.day
    known = sum(space.newest_ms >= begin_ms for space in days.spaces.values())
    if not known:
        return None
    fields = [*config.position, ("stays", float(stays.ended)), ("sensors_heard", float(known))]
    if config.max_stay_ms is not None:
        fields.append(("overstays", float(stays.over)))
    if stays.ended >= config.least_stays:
        fields.append(("stay_mean", round(stays.total_ms / stays.ended / 1000)))
    return Point("asset", config.tags, tuple(fields), begin_ms, config.privacy)


def _with(days: Days, dev_eui: str, space: Space, step: int) -> Days:
    spaces = put(days.spaces, dev_eui, space)
    taken = days.taken + step
    return days._replace(spaces=spaces, taken=taken, peak=max(days.peak, taken / len(spaces)))


def _ended(config: DaysConfig, days: Days, since_ms: int, time_ms: int) -> Stays:
    """A stay counts as too long on the day on which it passed the limit."""
    limit_ms, stays = config.max_stay_ms, days.stays
    over = limit_ms is not None and time_ms - since_ms > limit_ms and since_ms + limit_ms >= days.day[0]
    return Stays(stays.ended + 1, stays.total_ms + time_ms - since_ms, stays.over + over)
