"""Of what scale scores are: VMAF of another model, pool or size is another number for the same encode."""

from __future__ import annotations

import re

import msgspec

_UNFIT = re.compile(r"[^A-Za-z0-9_.-]")
_FIRST = re.compile(r"([a-z0-9-]+)(?:_.+|\.(.+))?")
_SIZE, _DEPTH = re.compile(r"none|\d+x\d+"), re.compile(r"(\d+)bit")
_BETWEEN = "~"


class Scale(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a score is of. Two scores can be compared, and learned from together, only where their scales are equal.

    Attributes:
        metric: name of the metric.
        model: of the metric, by name, or ``file-`` and a hash of its content where it is a file; empty where it has none.
        pool: how the scores of frames become one: ``mean``, ``harmonic_mean``, ``min`` or ``pN``.
        size: at which size pictures are compared: ``auto`` is the metric's own rule for each source, ``none`` the pictures' own
            size, else ``WxH`` in pixels.
        depth: bits per component at which they are compared; None is the metric's own rule for each source.
    """

    metric: str = "vmaf"
    model: str = "vmaf_v0.6.1"
    pool: str = "mean"
    size: str = "auto"
    depth: int | None = None

    @property
    def usual(self) -> bool:
        """Whether this is the scale that scores have where nothing was chosen."""
        return self == USUAL

    @property
    def identity(self) -> str:
        """Names the scale in keys, file names and what programs exchange: equal for equal scales, different for different ones.

        >>> Scale(pool="p5").identity, Scale(metric="xpsnr", model="").identity
        ('vmaf_v0.6.1~p5', 'xpsnr')
        """
        first = self.model if self.model.startswith(f"{self.metric}_") else f"{self.metric}.{self.model}".rstrip(".")
        parts = [first]
        parts += [self.pool] if self.pool != "mean" else []
        parts += [self.size] if self.size != "auto" else []
        parts += [f"{self.depth}bit"] if self.depth is not None else []
        return _BETWEEN.join(_UNFIT.sub("_", part) for part in parts)

    @classmethod
    def named(cls, identity: str) -> Scale:
        """The scale of that identity.

        Raises:
            ValueError: it is the identity of none.
        """
        first, *parts = identity.split(_BETWEEN)
        found = _FIRST.fullmatch(first)
        metric, model = (found[1], found[2] or (first if "_" in first else "")) if found else ("", "")
        depth = _DEPTH.fullmatch(parts[-1]) if parts else None
        parts = parts[:-1] if depth else parts
        size = parts.pop() if parts and _SIZE.fullmatch(parts[-1]) else "auto"
        scale = cls(
            metric=metric,
            model=model,
            pool=parts[0] if parts else "mean",
            size=size,
            depth=int(depth[1]) if depth else None,
        )
        if not found or scale.identity != identity:
            raise ValueError(f"{identity!r:.80} names no scale; vmaf_v0.6.1~p5 and xpsnr are such names")
        return scale

    def __str__(self) -> str:
        """For a person: ``vmaf_v0.6.1, pool p5``."""
        parts = [self.model or self.metric]
        parts += [f"pool {self.pool}"] if self.pool != "mean" else []
        size = "their own size" if self.size == "none" else self.size
        parts += [f"pictures at {size}"] if self.size != "auto" else []
        parts += [f"at {self.depth} bits"] if self.depth is not None else []
        return ", ".join(parts)


USUAL = Scale()
"""The mean of VMAF v0.6.1 at automatic size: what is scored where nothing was chosen, and what state without a scale is of."""
