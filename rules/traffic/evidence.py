"""What traffic decisions stand on, as evidence."""

from rules.event import instant
from rules.traffic.approach import Flow, FlowConfig
from rules.traffic.plan_target import Load

FLOW, SHARE = "flow", "directional_share"
PER_HOUR, ONE = "/h", "1"


def flow(
    config: FlowConfig,
    found: Flow,
    now_ms: int,
    *,
    threshold: float | None,
    hysteresis: float | None,
    quantity: str = FLOW,
) -> dict[str, object]:
    """The flow of an approach in veh/h, smoothed over the window."""
    return {
        "quantity": quantity,
        "value": round(found.flow_vph, 1),
        "unit": PER_HOUR,
        "window_s": config.window_min * 60,
        "threshold": None if threshold is None else round(threshold, 1),
        "hysteresis": hysteresis,
        "n_samples": round(found.coverage * config.window_min),
        "coverage_pct": round(100 * found.coverage, 2),
        "newest_at": instant(found.newest_ms),
        "age_s": max(0, now_ms - found.newest_ms) / 1000,
        "sources": found.sources,
    }


def share(
    config: FlowConfig, inbound: Flow, outbound: Flow, now_ms: int, *, threshold: float, hysteresis: float
) -> dict[str, object]:
    """The share of the inbound direction in the flow of both."""
    older = min(inbound, outbound, key=lambda each: each.newest_ms)
    return {
        **flow(config, older, now_ms, threshold=threshold, hysteresis=hysteresis, quantity=SHARE),
        "value": round(Load(inbound.flow_vph, outbound.flow_vph).share, 4),
        "unit": ONE,
        "threshold": threshold,
        "sources": (*inbound.sources, *outbound.sources)[:8],
    }
