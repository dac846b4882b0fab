"""All event types, in the order of the documents; one that is not here has no schema."""

from rules import event_traffic
from rules.event import DeviceHealth, Event, LotState, NetworkHealth
from rules.event_custom import CustomCondition, DownlinkReported, DownlinkRequested
from rules.event_environment import EnvironmentalAlert
from rules.event_parking import GuidanceHealth, ParkingGuidance, SensorSuspicion
from rules.event_route import RoutePlanned
from rules.event_waste import ContainerAlert, ContainerDue

EVENT_TYPES: tuple[type[Event], ...] = (
    *event_traffic.EVENT_TYPES,
    LotState,
    ParkingGuidance,
    GuidanceHealth,
    SensorSuspicion,
    EnvironmentalAlert,
    ContainerDue,
    ContainerAlert,
    RoutePlanned,
    CustomCondition,
    DownlinkRequested,
    DownlinkReported,
    DeviceHealth,
    NetworkHealth,
)
