"""The keys of simulated devices: test keys, which anybody can work out from seed and DevEUI. They protect nothing."""

import hashlib
from enum import StrEnum

from decoders.simulated import SIMULATED_PREFIX
from simulator.lorawan.crypto import BLOCK, SessionKeys
from simulator.lorawan.end_device import Credentials, Session

JOIN_EUI = f"{SIMULATED_PREFIX}000000"
ADDRESS_BITS = 25
"""Of a DevAddr in a private network; the upper bits are the network's, 0."""


class Activation(StrEnum):
    """How devices come by their session keys: over the air, or by personalisation."""

    OTAA = "otaa"
    ABP = "abp"


def credentials(seed: int, dev_eui: str) -> Credentials:
    """EUIs and AppKey: what provisioning enters into the network server."""
    return Credentials(dev_eui, JOIN_EUI, _key(seed, dev_eui, "app-key"))


def personalised(seed: int, dev_eui: str) -> Session:
    """A session without a join, its counters at 0."""
    address = int.from_bytes(_key(seed, dev_eui, "dev-addr"), "big") % (1 << ADDRESS_BITS)
    keys = SessionKeys(_key(seed, dev_eui, "nwk-s-key"), _key(seed, dev_eui, "app-s-key"))
    return Session(f"{address:08x}", keys)


def _key(seed: int, dev_eui: str, what: str) -> bytes:
    return hashlib.sha256(f"stadtfunk simulator {seed} {dev_eui} {what}".encode()).digest()[:BLOCK]
