"""A message that arrived, parsed: an uplink, another event, an answer, feedback, our own canary, or a dead letter."""

from typing import NamedTuple

from decoders.simulated import is_simulated
from decoders.uplink import Device, Uplink
from ingest import answers, chirpstack, tour_feedback
from ingest.canary import Canary
from ingest.chirpstack import Event, EventError, TopicError, UplinkEvent
from ingest.clock import Clock
from ingest.dead_letter import DeadLetter, Reason, dead_letter
from ingest.mqtt import Message
from ingest.settings import Settings
from rules.answer import AnswerError
from rules.feedback import FeedbackError
from rules.rule import Answered, TourFeedback

UPLINK = "up"
"""The event whose messages are uplinks."""

# NamedTuple's own constructor costs twice this one.
new_tuple = tuple.__new__


class Arrived(NamedTuple):
    """One message, parsed: an uplink, another event, an answer to a request, feedback of a tour, or a dead letter.

    `retry_of` is the dead letter tried again; `canary` is an uplink of the service's own. `lost_to` is the device that
    sent the uplink of which the letter is all there is.
    """

    message: Message
    uplink: Uplink | None = None
    event: Event | None = None
    device: Device | None = None
    letter: DeadLetter | None = None
    retry_of: int | None = None
    canary: Uplink | None = None
    lost_to: str = ""
    answer: Answered | None = None
    feedback: TourFeedback | None = None


class Reader:
    """Parses messages as these settings say; never raises."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._canary = Canary(settings)
        self._topic = chirpstack.topic_parser(settings.mqtt.event_topic)
        self._encoding = settings.mqtt.encoding
        self._accept_simulated = settings.simulation.accept

    def read(self, message: Message, retry_of: int | None = None) -> Arrived:
        """Parse one message; whatever is wrong with it makes a dead letter."""
        try:
            topic = self._topic(message.topic)
            event = chirpstack.parse(topic.event, message.payload, self._encoding)
        except TopicError as error:
            if message.topic == self._canary.topic:
                return self._own(message, retry_of)
            return self._answer(message, error, retry_of)
        except EventError as error:
            arrived = self.rejected(message, Reason.EVENT, str(error), topic.dev_eui, retry_of)
            return arrived._replace(lost_to=topic.dev_eui) if topic.event == UPLINK else arrived
        uplink = chirpstack.uplink(event) if isinstance(event, UplinkEvent) else None
        device = uplink.device if uplink else chirpstack.device(event.device_info)
        if device.dev_eui != topic.dev_eui:
            detail = f"topic names device {topic.dev_eui}, payload {device.dev_eui}"
            return self.rejected(message, Reason.SPOOFED, detail, topic.dev_eui, retry_of)
        if not self._accept_simulated and is_simulated(device.dev_eui, device.tags):
            detail = f"device {device.dev_eui} is simulated and simulation.accept is not set"
            return self.rejected(message, Reason.SIMULATED, detail, device.dev_eui, retry_of)
        return new_tuple(
            Arrived, (message, uplink, None if uplink else event, device, None, retry_of, None, "", None, None)
        )

    def given_up(self, item: Arrived, error: Exception) -> Arrived:
        """The message as a dead letter, after it made us raise what we should not."""
        dev_eui = item.device.dev_eui if item.device else ""
        detail = f"{type(error).__name__}: {error}"
        arrived = self.rejected(item.message, Reason.INTERNAL, detail, dev_eui, item.retry_of)
        return arrived._replace(lost_to=dev_eui) if item.uplink else arrived

    def rejected(
        self, message: Message, reason: Reason, detail: str, dev_eui: str = "", retry_of: int | None = None
    ) -> Arrived:
        """The message as a dead letter."""
        letter = dead_letter(
            reason, detail, message.topic, message.payload, self._clock(), self._settings.journal, dev_eui=dev_eui
        )
        return Arrived(message, letter=letter, retry_of=retry_of)

    def _answer(self, message: Message, error: TopicError, retry_of: int | None) -> Arrived:
        """An answer to a request, or feedback of a tour; else the topic is nobody's."""
        try:
            answered = answers.read(message.topic, message.payload)
            told = tour_feedback.read(message.topic, message.payload) if answered is None else None
        except AnswerError as wrong:
            return self.rejected(message, Reason.ANSWER, str(wrong), retry_of=retry_of)
        except FeedbackError as wrong:
            arrived = self.rejected(message, Reason.FEEDBACK, str(wrong), retry_of=retry_of)
            return _without_payload(arrived) if wrong.surplus else arrived
        if answered is None and told is None:
            return self.rejected(message, Reason.TOPIC, str(error), retry_of=retry_of)
        return Arrived(message, answer=answered, feedback=told, retry_of=retry_of)

    def _own(self, message: Message, retry_of: int | None) -> Arrived:
        """An uplink of our own canary, come back."""
        try:
            return Arrived(message, retry_of=retry_of, canary=self._canary.read(message.payload))
        except EventError as error:
            return self.rejected(message, Reason.EVENT, str(error), retry_of=retry_of)


def _without_payload(arrived: Arrived) -> Arrived:
    """The dead letter without what nobody asked for, which may name a person."""
    letter = arrived.letter
    return arrived if letter is None else arrived._replace(letter=letter._replace(payload=b""))
