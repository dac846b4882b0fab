"""How simulated devices are told from real ones."""

from collections.abc import Mapping

SIMULATED_PREFIX = "025354464b"
"""First ten hex digits of every simulated DevEUI: locally administered, so no maker was ever assigned it."""
SIMULATED_TAG = "simulated"


def is_simulated(dev_eui: str, tags: Mapping[str, str]) -> bool:
    """Whether a device is simulated, by its reserved DevEUI or by its tag."""
    return dev_eui.startswith(SIMULATED_PREFIX) or tags.get(SIMULATED_TAG, "").lower() == "true"
