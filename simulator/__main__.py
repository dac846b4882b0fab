"""`python -m simulator`: the command `stadtfunk simulate` by itself."""

import typer

from simulator.cli import EXAMPLE, simulate


def main() -> None:
    """Run the one command."""
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)
    app.command(epilog=EXAMPLE)(simulate)
    app(prog_name="python -m simulator")


if __name__ == "__main__":
    main()
