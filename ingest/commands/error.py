"""How commands fail."""


class CommandError(Exception):
    """A command that failed; the message is the one line that its user sees."""
