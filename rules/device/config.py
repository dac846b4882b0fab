"""The thresholds of the rules about devices, gateways and the network."""

from dataclasses import dataclass

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS


@dataclass(frozen=True, slots=True)
class DeviceRules:
    """Durations in ms, margins in dB, battery levels in %; `battery_days` are days left by the trend."""

    silent_factor: float = 2.5
    least_intervals: int = 5
    battery_low: float = 20.0
    battery_days: float = 30.0
    battery_trend_days: int = 14
    link_margin_db: float = 3.0
    clock_offset_ms: int = 300_000
    reset_shown_ms: int = DAY_MS
    gateway_silent_ms: int = 300_000
    network_silent_ms: int = 120_000
    validity_ms: int = DAY_MS

    @property
    def renewal_ms(self) -> int:
        """How long before its end the word on a problem is said again."""
        return self.validity_ms // 4
