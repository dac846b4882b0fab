"""The loads of a problem as PyVRP wants them: some dimensions, each bounded for each vehicle."""

from typing import NamedTuple

from rules.waste.route.model import Load, Problem, Stop, Vehicle


class Dimension(NamedTuple):
    """One load that is bounded: kilograms or litres of a fraction, kilograms of all, or roll-offs."""

    fraction: str
    unit: str

    def of_stop(self, stop: Stop) -> int:
        """What of it a stop adds."""
        if self.unit == "roll_off":
            return int(stop.roll_off)
        if self.fraction not in {"", stop.fraction}:
            return 0
        return stop.mass_kg if self.unit == "kg" else stop.volume_l or 0

    def on_board(self, vehicle: Vehicle) -> int:
        """What of it the vehicle holds before its tour; never more than it takes."""
        if self.unit == "roll_off":
            return int(vehicle.roll_off and not vehicle.is_empty)
        loads = vehicle.on_board
        if not self.fraction:
            return min(sum(load.mass_kg for load in loads.values()), vehicle.payload_kg or 0)
        load = loads.get(self.fraction, Load(0, 0))
        return min(load.mass_kg if self.unit == "kg" else load.volume_l, self.of_vehicle(vehicle, 0))

    def of_vehicle(self, vehicle: Vehicle, unbounded: int) -> int:
        """What of it a vehicle takes; `unbounded` stands for any amount."""
        if self.unit == "roll_off":
            return int(vehicle.roll_off)
        if not self.fraction:
            return unbounded if vehicle.payload_kg is None else vehicle.payload_kg
        room = vehicle.capacity.get(self.fraction)
        return 0 if room is None else room.mass_kg if self.unit == "kg" else room.volume_l


def dimensions(problem: Problem) -> list[Dimension]:
    """Those in which any stop adds something."""
    found = [
        Dimension(fraction, unit)
        for fraction in sorted({stop.fraction for stop in problem.stops})
        for unit in ("kg", "l")
    ]
    if any(vehicle.payload_kg is not None for vehicle in problem.vehicles):
        found.append(Dimension("", "kg"))
    if any(stop.roll_off for stop in problem.stops):
        found.append(Dimension("", "roll_off"))
    return [dimension for dimension in found if any(dimension.of_stop(stop) for stop in problem.stops)]
