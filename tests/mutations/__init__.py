"""Files of ours with bytes that rotted or were tampered with."""

from __future__ import annotations

import random
from collections.abc import Iterator


def mutated(content: bytes, count: int, seed: int = 20261128) -> Iterator[bytes]:
    """``count`` versions of a file: bytes changed, set to no UTF-8, taken out, doubled, cut off; the same for the same seed."""
    chance = random.Random(seed)
    for number in range(count):
        changed = bytearray(content)
        for _ in range(chance.choice((1, 1, 1, 3))):
            at = chance.randrange(max(1, len(changed)))
            length = chance.choice((1, 1, 2, 4, 40))
            span = bytes(changed[at : at + length])
            changed[at : at + length] = (
                bytes(byte ^ (1 << chance.randrange(8)) for byte in span),
                b"\xff" * len(span),
                b"",
                span + span,
                bytes(chance.randrange(256) for _ in span),
            )[number % 5]
        yield bytes(changed if chance.random() < 0.9 else changed[: chance.randrange(len(changed) + 1)])
