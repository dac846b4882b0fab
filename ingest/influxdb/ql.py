"""InfluxQL: names and strings within statements."""


def quoted(text: str, mark: str = '"') -> str:
    """A name, or between single marks a string, whatever its characters."""
    escaped = text.replace("\\", "\\\\").replace(mark, f"\\{mark}").replace("\n", "\\n")
    return f"{mark}{escaped}{mark}"


def delete_statement(measurement: str, dev_eui: str, from_ms: int, to_ms: int) -> str:
    """DELETE of a device's points in [from_ms, to_ms)."""
    device = quoted(dev_eui, "'")
    span = f"time >= {from_ms}ms AND time < {to_ms}ms"
    return f"DELETE FROM {quoted(measurement)} WHERE dev_eui = {device} AND {span}"  # noqa: S608 - quoted above
