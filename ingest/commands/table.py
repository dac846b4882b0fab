"""Tables of commands: fitted to a terminal, never cut when read by a program."""

from rich.console import Console
from rich.table import Table

UNCUT = 500
"""Columns when the output is no terminal."""


def print_table(table: Table) -> None:
    """Print on standard output."""
    console = Console()
    if console.is_terminal:
        console.print(table)
    else:
        Console(width=UNCUT).print(table)
