"""Signs of life for systemd: READY, WATCHDOG and STOPPING as datagrams to $NOTIFY_SOCKET.

Source: sd_notify(3) and sd_watchdog_enabled(3), systemd 252: an address that begins with `@` is an abstract socket,
$WATCHDOG_USEC is the time after which systemd restarts us, $WATCHDOG_PID whom it means.
"""

import asyncio
import os
import socket
from collections.abc import Callable, Mapping

READY = "READY=1"
ALIVE = "WATCHDOG=1"
STOPPING = "STOPPING=1"
US_PER_S = 1_000_000


def notify(message: str, environment: Mapping[str, str] = os.environ) -> bool:
    """Tell systemd; False where nobody listens. Never waits, never raises."""
    address = environment.get("NOTIFY_SOCKET", "")
    if not address.startswith(("/", "@")):
        return False
    if address.startswith("@"):
        address = "\0" + address[1:]
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK) as sender:
            sender.sendto(message.encode(), address)
    except OSError:
        return False
    return True


def interval_s(environment: Mapping[str, str] = os.environ) -> float | None:
    """Seconds between signs of life, half of what systemd waits; None when it does not."""
    if environment.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
        return None
    try:
        wanted_s = int(environment["WATCHDOG_USEC"]) / US_PER_S
    except (KeyError, ValueError):
        return None
    return wanted_s / 2 if wanted_s > 0 else None


async def attend(alive: Callable[[], bool], environment: Mapping[str, str] = os.environ) -> None:
    """Say that we live while `alive` says so, until cancelled; returns at once when nobody waits for it."""
    wait_s = interval_s(environment)
    while wait_s is not None:
        if alive():
            notify(ALIVE, environment)
        await asyncio.sleep(wait_s)
