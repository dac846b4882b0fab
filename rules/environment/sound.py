"""Sound levels as energy, and the day-evening-night level.

L_den = 10 lg (12 · 10^(Ld/10) + 4 · 10^((Le+5)/10) + 8 · 10^((Ln+10)/10)) / 24 (Directive 2002/49/EC, annex I), also on
the days on which the clocks change.
"""

from math import exp, log, log10

DAY_HOURS, EVENING_HOURS, NIGHT_HOURS = 12, 4, 8
EVENING_MALUS, NIGHT_MALUS = 5, 10
LN10_10 = log(10) / 10


def energy(level: float) -> float:
    """What a sound level (dB) means as energy."""
    return exp(level * LN10_10)


def level_db(mean_energy: float) -> float:
    """The sound level of an energy."""
    return 10 * log10(mean_energy)


def l_den(day: float, evening: float, night: float) -> float:
    """Day-evening-night level of three levels in dB."""
    dark = EVENING_HOURS * energy(evening + EVENING_MALUS) + NIGHT_HOURS * energy(night + NIGHT_MALUS)
    return level_db((DAY_HOURS * energy(day) + dark) / (DAY_HOURS + EVENING_HOURS + NIGHT_HOURS))
