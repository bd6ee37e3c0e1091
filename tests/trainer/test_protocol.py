"""What is said over the socket, and that bad manners cost only those who have them."""

from __future__ import annotations

import json
import random
import time

import pytest

from tests.trainer.conftest import FEATURE_VALUES, Served, request
from vmaftune.trainer.connection import ConnectionLimits

NAN = request("a").replace(b"93.5", b"NaN")

MALFORMED = {
    "no JSON": (b"hello\n", "malformed"),
    "an empty line": (b"\n", "truncated"),
    "not UTF-8": (request("a").replace(b"libx264", b"\xff\xfe"), "utf-8"),
    "no object": (b"[1, 2]\n", "Expected `object`"),
    "no version": (b'{"id":"a"}\n', '"v" must be 1'),
    "another version": (request("a", v=2), '"v" must be 1'),
    "a version that is no number": (request("a", v=True), '"v" must be 1'),
    "an unknown field": (request("a", host="node7"), "unknown field `host`"),
    "no id": (b'{"v":1}\n', "missing required field `id`"),
    "an id that is too long": (request("a" * 65), "$.id"),
    "an id of several lines": (request("a\nb"), "$.id"),
    "an id of another type": (request("a", id=7), "$.id"),
    "a path as encoder": (request("a", encoder="../x"), "$.encoder"),
    "a preset of several words": (request("a", preset="very slow"), "$.preset"),
    "a CRF in words": (request("a", crf="23"), "$.crf"),
    "a CRF that cannot be": (request("a", crf=1e9), "$.crf"),
    "a feature too few": (request("a", features=FEATURE_VALUES[1:]), "$.features"),
    "a feature too many": (request("a", features=(*FEATURE_VALUES, 1.0)), "$.features"),
    "no features": (request("a", features=None), "$.features"),
    "a feature that is null": (request("a", features=(None, *FEATURE_VALUES[1:])), "$.features[0]"),
    "a feature beyond all bounds": (request("a", features=(1e30, *FEATURE_VALUES[1:])), "$.features[0]"),
    "a feature of 1e308": (request("a", features=(1e308, *FEATURE_VALUES[1:])), "$.features[0]"),
    "an id in Greek": (request("α"), "$.id"),
    "an encoder in Greek": (request("a", encoder="λ264"), "$.encoder"),
    "half of a character": (request("a").replace(b'"a"', b'"\\ud800"'), ""),
    "a number that is infinite": (request("a").replace(b"93.5", b"1e999"), "out of range"),
    "a number that is none": (NAN, "malformed"),
    "a score above 100": (request("a", true_score=100.1), "$.true_score"),
    "a score below 0": (request("a", true_score=-0.1), "$.true_score"),
    "deep nesting": (b'{"v":' + b"[" * 30_000 + b"\n", ""),
    "a status that is not asked for": (b'{"v":1,"status":"please"}\n', "$.status"),
}


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Served:  # type: ignore[misc]
    made = Served(tmp_path_factory.mktemp("home"), tmp_path_factory.mktemp("r"))
    made.start()
    yield made
    made.close()


@pytest.mark.parametrize("kind", MALFORMED)
def test_every_malformed_message_has_a_clear_answer(service: Served, kind: str) -> None:
    line, expected = MALFORMED[kind]
    connected = service.connect()
    answer = connected.say(line)
    assert answer["ok"] is False and set(answer) == {"ok", "error"}
    assert expected.lower() in answer["error"].lower() and len(answer["error"]) <= 200
    assert connected.say(request(f"after-{kind.replace(' ', '-')}"))["ok"], "the connection goes on"


def test_a_sample_is_answered_with_step_and_buffer(service: Served) -> None:
    answer = service.connect().say(request("whole", preset=None, crf=30))
    assert answer["ok"] is True and set(answer) == {"ok", "step", "buffered"} and answer["buffered"] >= 1


def test_a_zero_may_have_a_sign(service: Served) -> None:
    features = [-0.0] * len(FEATURE_VALUES)
    assert service.connect().say(request("zero", features=features, crf=-0.0, true_score=-0.0))["ok"]


def test_many_lines_at_once_are_answered_in_order(service: Served) -> None:
    connected = service.connect()
    connected.send(b"".join(request(f"many-{n}") if n % 3 else b"x%d\n" % n for n in range(2000)))
    assert [connected.answer()["ok"] for _ in range(2000)] == [bool(n % 3) for n in range(2000)]


def test_a_line_may_come_in_pieces(service: Served) -> None:
    connected = service.connect()
    for byte in request("pieces"):
        connected.send(bytes([byte]))
    assert connected.answer()["ok"]


def test_what_was_sent_before_the_end_is_answered(service: Served) -> None:
    connected = service.connect()
    connected.send(b"".join(request(f"end-{n}") for n in range(100)) + b'{"v":1,"id":"half')
    connected.socket.shutdown(1)
    assert all(connected.answer()["ok"] for _ in range(100)) and connected.answer() is None


def test_a_line_without_end_is_refused_and_ends_the_connection(service: Served) -> None:
    connected = service.connect()
    connected.send(b"x" * (65_536 + 1))
    assert "longer than 65536 bytes" in connected.answer()["error"] and connected.answer() is None


def test_the_same_id_counts_once(service: Served) -> None:
    before = service.status()
    connected = service.connect()
    connected.send(request("twin") * 3)
    assert all(connected.answer()["ok"] for _ in range(3))
    assert connected.say(request("twin"))["ok"]
    after = service.status()
    assert after.taken == before.taken + 1 and after.duplicates == before.duplicates + 3


def test_the_status(service: Served) -> None:
    answer = service.connect().say(b'{"v":1,"status":true}\n')
    assert answer["ok"] and answer["status"]["plugin"] == "counting" and answer["status"]["durable"] is True


def fuzzed(chance: random.Random) -> bytes:
    """A message that was right once."""
    line = bytearray(request(f"fuzz-{chance.random()}")[:-1])
    for _ in range(chance.randint(1, 8)):
        place = chance.randrange(len(line))
        kind = chance.randrange(4)
        if kind == 0:
            line[place] = chance.randrange(256)
        elif kind == 1:
            del line[place : place + chance.randint(1, 40)]
        elif kind == 2:
            line[place:place] = chance.choice((b"null", b"[[[[", b"1e400", b'"', b"{", b"\\u0000", b"-", b"\x00\xff"))
        else:
            line += line[place:] * chance.randint(1, 3)
        if len(line) < 2:
            break
    return bytes(line).replace(b"\n", b" ") + b"\n"


def test_10000_fuzzed_messages_disturb_nobody(served: Served) -> None:
    served.start()
    chance = random.Random(5)
    good = served.connect()
    slowest, refused, sizes, count = 0.0, 0, [], 0
    for turn in range(100):
        hostile = served.connect()
        hostile.send(b"".join(fuzzed(chance) for _ in range(100)))
        began = time.perf_counter()
        assert good.say(request(f"good-{turn}"))["ok"]
        slowest = max(slowest, time.perf_counter() - began)
        for _ in range(100):
            answer = hostile.answer()
            if answer is None:
                break
            refused += not answer["ok"]
            assert answer["ok"] or answer["error"]
            count += 1
        hostile.close()
        if turn in (30, 99):
            sizes.append(served.resident_bytes())
    assert count == 10_000 and refused > 9000
    assert slowest < 2.0
    assert sizes[1] - sizes[0] < 4e6
    assert {f"good-{turn}" for turn in range(100)} <= set(_stopped(served))


def _stopped(served: Served) -> list[str]:
    assert served.stop() == 0
    return served.held().ids


def test_more_connections_than_allowed_are_sent_away(served: Served) -> None:
    served.start(limits=ConnectionLimits(connections=4))
    while served.status().connections > 1:
        time.sleep(0.01)
    some = [served.connect() for _ in range(4)]
    assert all(connected.say(request(f"some-{n}"))["ok"] for n, connected in enumerate(some))
    answer = served.connect().answer()
    assert "too many connections" in answer["error"] and answer["retry"] is True
    some[0].close()
    until = time.monotonic() + 60
    while not (answer := served.connect().say(request("later")))["ok"]:
        assert time.monotonic() < until


def test_a_silent_client_is_closed_and_a_busy_one_is_not(served: Served) -> None:
    served.start(limits=ConnectionLimits(idle_seconds=1.0))
    silent, trickling, busy = served.connect(), served.connect(), served.connect()
    for turn in range(30):
        time.sleep(0.1)
        assert busy.say(request(f"busy-{turn}"))["ok"]
        try:
            trickling.send(b"x")
        except OSError:
            break
    assert silent.answer() is None
    assert trickling.socket.fileno() >= 0 and served.status().connections <= 2


def test_one_that_asks_without_end_costs_only_itself(served: Served) -> None:
    served.start()
    curious, good = served.connect(), served.connect()
    curious.send(b'{"v":1,"status":true}\n' * 2500)  # 2000 at once, the others in their time
    assert all(good.say(request(f"good-{n}"))["ok"] for n in range(20))
    assert all(curious.answer()["ok"] for _ in range(2500))


def test_a_rate_is_kept(served: Served) -> None:
    served.start(limits=ConnectionLimits(lines_a_second=100.0))
    connected = served.connect()
    began = time.monotonic()
    connected.send(b"".join(request(f"rate-{n}") for n in range(200)))
    assert all(connected.answer()["ok"] for _ in range(200))
    assert time.monotonic() - began > 0.9, "a second's worth at once, the others in their time"


def test_a_client_that_reads_no_answers_costs_only_itself(served: Served) -> None:
    served.start()
    rude, good = served.connect(0.5), served.connect()
    block = b"\n" * 100_000
    sent = 0
    try:
        for _ in range(200):
            sent += rude.socket.send(block)
    except TimeoutError:
        pass
    assert sent < 5e6, "it is not read any more"
    before = served.resident_bytes()
    assert all(good.say(request(f"good-{n}"))["ok"] for n in range(20))
    assert served.resident_bytes() - before < 4e6


def test_clients_that_are_killed_leave_nothing_behind(served: Served) -> None:
    served.start()
    good = served.connect()
    for turn in range(50):
        killed = served.connect()
        killed.send(b"".join(request(f"killed-{turn}-{n}") for n in range(50)) + b'{"v":1,')
        killed.close()  # answers unread, a line half sent
        assert good.say(request(f"good-{turn}"))["ok"]
    until = time.monotonic() + 60
    while served.status().connections > 2:
        assert time.monotonic() < until
        time.sleep(0.01)


def test_a_client_above_its_rate_waits_and_nobody_else(served: Served) -> None:
    served.start(limits=ConnectionLimits(lines_a_second=200.0))
    fast, good = served.connect(), served.connect()
    began = time.perf_counter()
    fast.send(b"".join(request(f"fast-{n}") for n in range(500)))
    assert all(good.say(request(f"good-{n}"))["ok"] for n in range(5))
    assert all(fast.answer()["ok"] for _ in range(500))
    assert time.perf_counter() - began > 1.2, "a second's worth at once, the others in their time"


def test_the_log_is_one_json_object_a_line(served: Served) -> None:
    served.start()
    assert served.stop() == 0
    assert [event["event"] for event in served.log()] == ["recovered", "listening", "stopped"]
    assert json.dumps(served.log()).count("time") == 3
