"""`python -m simulator`: the command `stadtfunk simulate` by itself."""

from simulator.cli import group


def main() -> None:
    """Run the command."""
    group()(prog_name="python -m simulator")


if __name__ == "__main__":
    main()
