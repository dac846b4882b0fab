"""The LoRaWAN side of one device: it joins or is activated, counts frames, and obeys the network.

Source: LoRaWAN 1.0.3 specification, class A. Nothing here knows the time: the caller opens the windows.
"""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import NamedTuple

from simulator.lorawan import mac, region
from simulator.lorawan.crypto import Direction, SessionKeys, session_keys
from simulator.lorawan.error import FrameError
from simulator.lorawan.frame import (
    LONGEST_F_OPTS,
    Data,
    JoinRequest,
    MType,
    m_type,
    peek_data,
    read_data,
    read_join_accept,
    write_data,
    write_join_request,
)
from simulator.lorawan.mac import Command, DeviceStatus
from simulator.lorawan.region import Tuned
from simulator.lorawan.settings import RadioSettings

ADR_ACK_LIMIT, ADR_ACK_DELAY = 64, 32
CONFIRMED_TRANSMISSIONS, TRANSMISSIONS_PER_RATE = 8, 2
HIGHEST_NONCE = 0xFFFF
LINK_CHECK_REQ = bytes((mac.LINK_CHECK,))
NO_BATTERY = 255
"""A battery level that means: cannot be measured."""


class Credentials(NamedTuple):
    """What a device brings from its maker; EUIs are hex."""

    dev_eui: str
    join_eui: str
    app_key: bytes


@dataclass(slots=True)
class Session:
    """Address, keys, and how far both counters are; `next_down` is the lowest counter of a downlink still accepted."""

    dev_addr: str
    keys: SessionKeys
    f_cnt_up: int = 0
    next_down: int = 0


class Received(NamedTuple):
    """What came down: `joined`, or a data frame, with the answers that the next uplink will carry.

    `heard` says that the last uplink has its answer: the acknowledgement of a confirmed one, else LinkCheckAns.
    """

    joined: bool = False
    data: Data | None = None
    answers: tuple[Command, ...] = ()
    heard: bool = False


@dataclass(slots=True)
class _Pending:
    """An uplink that may be sent again, with the transmissions that are left."""

    phy: bytes
    left: int
    confirmed: bool
    link_check: bool
    done: int = 1

    def answered_by(self, down: Data, commands: bytes) -> bool:
        """Whether a downlink with these commands says that the network has the uplink, which asked."""
        return down.ack if self.confirmed else self.link_check and mac.checks_link(commands)


class EndDevice:
    """One device.

    `status` tells battery and margin when the network asks; a `session` given is activation by personalisation.
    """

    def __init__(
        self,
        credentials: Credentials,
        rng: Random,
        *,
        session: Session | None = None,
        data_rate: int = 0,
        status: Callable[[], DeviceStatus] | None = None,
    ) -> None:
        self.credentials = credentials
        self.session = session
        self.settings = RadioSettings(data_rate=data_rate)
        self._status = status or (lambda: DeviceStatus(NO_BATTERY, 0))
        self._dev_nonce: int | None = None
        self._last_nonce = rng.getrandbits(16)
        self._answers: list[Command] = []
        self._sticky: list[Command] = []
        self._owes_ack = False
        self._unheard = 0
        self._pending: _Pending | None = None

    @property
    def joining(self) -> bool:
        """Whether a join request waits for its answer."""
        return self._dev_nonce is not None

    def options_size(self, *, link_check: bool = False) -> int:
        """Bytes of MAC commands that the next uplink will carry, with or without LinkCheckReq."""
        answers = sum(1 + len(answer.body) for answer in (*self._sticky, *self._answers))
        return min(LONGEST_F_OPTS, answers + link_check * len(LINK_CHECK_REQ))

    def join_request(self) -> bytes:
        """A join request, with the nonce that follows the last one; the session ends."""
        self._last_nonce = (self._last_nonce + 1) & HIGHEST_NONCE
        self._dev_nonce = self._last_nonce
        self._pending, self.session = None, None
        self.settings = RadioSettings(data_rate=self.settings.data_rate)
        credentials = self.credentials
        return write_join_request(
            JoinRequest(credentials.join_eui, credentials.dev_eui, self._dev_nonce), credentials.app_key
        )

    def uplink(self, f_port: int, payload: bytes, *, confirmed: bool = False, link_check: bool = False) -> bytes:
        """A data frame; `link_check` asks by LinkCheckReq whether it is heard.

        Raises FrameError before the device has joined.
        """
        session = self._joined()
        f_opts = self._options(LINK_CHECK_REQ if link_check else b"")
        frame = Data(
            Direction.UP,
            session.dev_addr,
            session.f_cnt_up,
            f_port,
            payload,
            confirmed=confirmed,
            f_opts=f_opts,
            adr=True,
            adr_ack_req=self._unheard >= ADR_ACK_LIMIT,
            ack=self._owes_ack,
        )
        self._owes_ack = False
        self._count(session)
        phy = write_data(frame, session.keys)
        times = CONFIRMED_TRANSMISSIONS if confirmed else self.settings.transmissions
        self._pending = _Pending(phy, times - 1, confirmed, link_check)
        return phy

    def missed(self) -> None:
        """A data frame that went out and that nobody heard."""
        if self.session is not None:
            self._count(self.session)

    def again(self, *, newer: bool = False) -> bytes | None:
        """The last uplink once more, as long as it has to be repeated; its counter stays.

        A confirmed one that nobody answers is given up when something `newer` is to be sent.
        """
        pending = self._pending
        if pending is None or pending.left < 1 or (newer and pending.confirmed):
            return None
        pending.left -= 1
        pending.done += 1
        return pending.phy

    @property
    def slower(self) -> int:
        """How many rates slower than usual the last uplink goes: one more after each two tries of a confirmed one."""
        pending = self._pending
        return 0 if pending is None or not pending.confirmed else (pending.done - 1) // TRANSMISSIONS_PER_RATE

    def receive(self, phy: bytes) -> Received | None:
        """What a frame in one of the windows does; None when it is not for this device, or was there before."""
        try:
            return self._accept(phy) if m_type(phy) is MType.JOIN_ACCEPT else self._data(phy)
        except FrameError:
            return None

    def rate_for(self, size: int, slower: int = 0) -> int:
        """The spreading factor for so many bytes of payload and options, by so many rates slower than usual."""
        return region.SPREADING_FACTORS[region.fitting(max(0, self.settings.data_rate - slower), size)]

    def windows(self, uplink: Tuned) -> tuple[tuple[int, Tuned], tuple[int, Tuned]]:
        """Delay in s after the end of this uplink, and tuning, of RX1 and RX2."""
        delay = region.JOIN_RX1_DELAY_S if self.joining else self.settings.rx1_delay_s
        return (delay, self.settings.rx1(uplink)), (delay + region.RX2_AFTER_RX1_S, self.settings.rx2)

    def _joined(self) -> Session:
        if self.session is None:
            raise FrameError(f"device {self.credentials.dev_eui} has not joined")
        return self.session

    def _options(self, options: bytes) -> bytes:
        """These options and the answers that fit behind them; the others wait for the next uplink."""
        left: list[Command] = []
        for command in [*self._sticky, *self._answers]:
            written = bytes((command.cid,)) + command.body
            if len(options) + len(written) > LONGEST_F_OPTS:
                left.append(command)
            else:
                options += written
        self._answers = [command for command in left if command not in self._sticky]
        return options

    def _count(self, session: Session) -> None:
        """One uplink more; after long silence the device helps itself to be heard again."""
        session.f_cnt_up = (session.f_cnt_up + 1) % 2**32
        self._unheard += 1
        if self._unheard >= ADR_ACK_LIMIT + ADR_ACK_DELAY:
            self._unheard -= ADR_ACK_DELAY
            self.settings = self.settings.slower()

    def _accept(self, phy: bytes) -> Received | None:
        if self._dev_nonce is None:
            return None
        accept = read_join_accept(phy, self.credentials.app_key)
        keys = session_keys(self.credentials.app_key, accept.app_nonce, accept.net_id, self._dev_nonce)
        self.session = Session(accept.dev_addr, keys)
        self.settings = RadioSettings(data_rate=self.settings.data_rate).joined(accept)
        self._dev_nonce, self._answers, self._sticky = None, [], []
        self._owes_ack, self._unheard = False, 0
        return Received(joined=True)

    def _data(self, phy: bytes) -> Received | None:
        session = self.session
        if session is None or peek_data(phy)[0] != session.dev_addr:
            return None
        data = read_data(phy, session.keys, session.next_down)
        if data.direction is Direction.UP:
            return None
        session.next_down = data.f_cnt + 1
        self._unheard = 0
        commands = data.payload if data.f_port == 0 else data.f_opts
        pending = self._pending
        heard = pending is not None and pending.answered_by(data, commands)
        if pending is not None and (data.ack or not pending.confirmed):
            self._pending = None
        self._owes_ack = data.confirmed
        self.settings, answers = mac.obey(self.settings, commands, self._status())
        self._sticky = [answer for answer in answers if answer.cid in mac.STICKY]
        self._answers += [answer for answer in answers if answer.cid not in mac.STICKY]
        return Received(data=data, answers=tuple(answers), heard=heard)
