"""What tiny models are trained on and judged by: features and score of every frame, with the clip and source it is of."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from vmaftune.contract.curves import FloatArray
from vmaftune.errors import UserError
from vmaftune.media.facts import shown
from vmaftune.models.full_reference import CANONICAL_6


@dataclass(frozen=True, kw_only=True)
class FrameTable:
    """n frames of c distorted clips of s sources.

    Attributes:
        features: canonical-6, raw as libvmaf gives them, float64, shape (n, 6).
        scores: targets, VMAF from 0 to 100, float64, shape (n,).
        clips: place of each frame's clip in ``clip_names``, shape (n,).
        clip_names: distorted files without their suffix; no two are alike.
        sources: place of each frame's source in ``source_names``, shape (n,).
        source_names: what a split must not part.
        frames: index of each frame in its clip, shape (n,).

    Raises:
        UserError: a feature or score is not finite; the clip is named.
        ValueError: the shapes do not fit each other.
    """

    features: FloatArray
    scores: FloatArray
    clips: np.ndarray
    clip_names: tuple[str, ...]
    sources: np.ndarray
    source_names: tuple[str, ...]
    frames: np.ndarray

    def __post_init__(self) -> None:
        count = len(self.scores)
        if self.features.shape != (count, len(CANONICAL_6)) or self.scores.shape != (count,):
            raise ValueError(f"features of shape {self.features.shape} for scores of shape {self.scores.shape}")
        for index in (self.clips, self.sources, self.frames):
            if index.shape != (count,) or not np.issubdtype(index.dtype, np.integer):
                raise ValueError("clips, sources and frames need an integer for every score")
        for index, names in ((self.clips, self.clip_names), (self.sources, self.source_names)):
            if len(set(names)) != len(names) or (count and not 0 <= index.min() <= index.max() < len(names)):
                raise ValueError("every clip and source has one name of its own")
        self._check_finite()

    def __len__(self) -> int:
        return len(self.scores)

    def without_source(self, name: str) -> FrameTable:
        """The frames of all other sources.

        Raises:
            UserError: there is no such source.
        """
        return self.where(self.sources != self._source(name))

    def only_source(self, name: str) -> FrameTable:
        """The frames of one source.

        Raises:
            UserError: there is no such source.
        """
        return self.where(self.sources == self._source(name))

    def where(self, kept: np.ndarray) -> FrameTable:
        """The frames for which ``kept``, bool of shape (n,), is true; clips and sources without any are gone."""
        clips, clip_names = _used(self.clips[kept], self.clip_names)
        sources, source_names = _used(self.sources[kept], self.source_names)
        return replace(
            self,
            features=self.features[kept],
            scores=self.scores[kept],
            clips=clips,
            clip_names=clip_names,
            sources=sources,
            source_names=source_names,
            frames=self.frames[kept],
        )

    def _source(self, name: str) -> int:
        if name not in self.source_names:
            raise UserError(
                f"no source {shown(name)} in the corpus; there are {', '.join(map(shown, self.source_names))}"
            )
        return self.source_names.index(name)

    def _check_finite(self) -> None:
        wrong = np.flatnonzero(~(np.isfinite(self.features).all(axis=1) & np.isfinite(self.scores)))
        if len(wrong):
            first = wrong[0]
            what = [
                name for name, value in zip(CANONICAL_6, self.features[first], strict=True) if not np.isfinite(value)
            ]
            raise UserError(
                f"{shown(self.clip_names[self.clips[first]])}, frame {self.frames[first]}: {', '.join(what) or 'score'} is not "
                f"a finite number ({len(wrong)} such frames in the table)"
            )


def _used(index: np.ndarray, names: tuple[str, ...]) -> tuple[np.ndarray, tuple[str, ...]]:
    """The index over those names that it uses, in their order."""
    used, places = np.unique(index, return_inverse=True)
    return places.reshape(index.shape), tuple(names[place] for place in used)
