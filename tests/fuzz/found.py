"""Inputs that once made a target fail; they stay in the tests and are seeds of every run."""

from collections.abc import Mapping

DEVICE = b"70b3d57ed0000001"
JOIN = b'application/a/device/%b/event/join\n{"deduplicationId":"x","deviceInfo":{"devEui":"%b"},"time":"%b"}'
TIMED = b'time={path="t",as="iso"}\n[[field]]\npath="x"\nquantity="co2"\n\xff{"x":1,"t":"9999-12-31"}'

FOUND: Mapping[str, tuple[bytes, ...]] = {
    "line/encode": (b"0\xff\xff", b"0\xff\xff1.5\xffa\xff2"),
    "settings/toml": (
        b"[telemetry]\nlog_format = " + b"{a=" * 1200,
        b"[journal]\nbatch_wait_s = " + b"9" * 5000,
        b"[mqtt]\nport = 0x" + b"f" * 5000,
        b"[simulation]\nstart_ms = " + b"9" * 4200,
        b'[store]\nretention_days = "' + b"9" * 400 + b'"',
        b"[journal]\ntick_s = 0.0001",
        b"[journal]\ntick_s = inf",
        b"[mqtt]\nconnect_timeout_s = inf",
        b'[mqtt]\nevent_topic = "a/b"',
        b'[city]\nfile = "a\\u0000b"',
    ),
    "settings/environment": (
        b'CODECS__PROFILES\xff{"Bosch TP\xd3110": "bosch/tps110"}',
        b"MQ\x04\xc0TT\xff{",
        b"MQTT\n_HOST\xff127.0.0.1",
        b"CITY\xff" + b"[" * 1200,
    ),
    "city": (
        b'{"type":"FeatureCollection","features":[{"type":"Feature","id":"lot-2","geometry":{"type":"Point",'
        b'"coordinates":[7.8,51.6]},"properties":{"kind":"lot","capacity":4,"devices":[{"dev_eui":"%b","note":%b}]}}]}'
        % (DEVICE, b"[" * 983 + b"]" * 983),
    ),
    "object/default": (b'{"temperature":1' + b"0" * 400 + b"}", b'{"a\\nb\\ud800":1}'),
    "object/table": (b"x = " + b"9" * 5000 + b"\xff{}", b"x = " + b"[" * 5000 + b"\xff{}", TIMED),
    "object/suggest": (b'{"co2":1' + b"0" * 400 + b"}",),
    "script/bytes": (b"\x07\x02\x04\xed\xa0\x80",),
    "script/source": (
        b"\2\xfffunction Decoder() { throw '\\ud800'; }",
        b"\2\xffthrow String; function Decoder() {}",
    ),
    "chain": (
        JOIN % (DEVICE, DEVICE, b"0001-01-01T00:00:00+14:00"),
        JOIN % (DEVICE, DEVICE, b"9999-12-31T23:59:59Z"),
    ),
}
