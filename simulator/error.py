"""The errors of this package.

SimulatorError      the simulation cannot start or go on; the message says why
"""


class SimulatorError(Exception):
    """The simulation cannot start or go on."""
