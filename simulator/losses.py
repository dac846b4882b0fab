"""A connection to a broker that is lost, told once when it goes and once when it is there again."""

from collections.abc import Callable

import paho.mqtt.client as paho
from paho.mqtt.reasoncodes import ReasonCode


class Losses:
    """What becomes of the connection to `where`; `back` is added to the word that it is there again."""

    def __init__(self, where: str, warn: Callable[[str], None], back: str = "") -> None:
        self._where = where
        self._warn = warn
        self._back = back
        self._up = self._lost = False

    def up(self) -> None:
        """The broker lets us listen."""
        if self._lost:
            self._warn(f"{self._where}: connected again{self._back}")
        self._up, self._lost = True, False

    def on_disconnect(
        self,
        _client: paho.Client,
        _data: object,
        _flags: paho.DisconnectFlags,
        reason: ReasonCode,
        _properties: object,
    ) -> None:
        """As paho tells it: also of each new try that fails, and of a first one."""
        if reason.is_failure and self._up:
            self._up, self._lost = False, True
            self._warn(f"{self._where}: the connection is lost ({reason}), trying again")
