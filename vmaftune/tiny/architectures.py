"""The networks that a tiny model can be (ADR-0203, ADR-0685), and what each of them holds."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from types import MappingProxyType

from vmaftune.errors import UserError
from vmaftune.models.full_reference import CANONICAL_6


@dataclass(frozen=True, kw_only=True)
class Architecture:
    """An MLP of ReLU units from canonical-6 to one score, or a frame encoder whose neighbours are pooled by attention.

    Attributes:
        name: on the command line.
        hidden: widths of the hidden layers; none makes it linear.
        neighbours: frames to each side that are attended to; 0 looks at each frame alone. The last hidden layer then stands
            behind the pooling, those before it encode a frame.
    """

    name: str
    hidden: tuple[int, ...]
    neighbours: int = 0

    @property
    def window(self) -> int:
        """Frames that a score depends on."""
        return 2 * self.neighbours + 1

    @property
    def encoder(self) -> tuple[int, ...]:
        """Widths of the layers that see one frame alone, the input's first."""
        return (len(CANONICAL_6), *(self.hidden[:-1] if self.neighbours else self.hidden))

    @property
    def shapes(self) -> tuple[tuple[int, ...], ...]:
        """Shapes of the parameters: weights (in, out) and biases (1, out) of the encoder, of the attention, of the head."""
        widths = self.encoder
        shapes = [shape for wide, narrow in itertools.pairwise(widths) for shape in ((wide, narrow), (1, narrow))]
        last = widths[-1]
        if self.neighbours:
            # How alike two encodings are is one matrix (query times key); what is taken from the neighbours is another.
            shapes += [(last, last), (last, last), (last, self.hidden[-1]), (1, self.hidden[-1])]
            last = self.hidden[-1]
        return (*shapes, (last, 1), (1, 1))

    @property
    def parameters(self) -> int:
        """How many numbers are learned."""
        return sum(rows * columns for rows, columns in self.shapes)


ARCHITECTURES = MappingProxyType(
    {
        architecture.name: architecture
        for architecture in (
            Architecture(name="linear", hidden=()),
            Architecture(name="mlp_small", hidden=(16, 8)),
            Architecture(name="mlp_medium", hidden=(64, 32)),
            Architecture(name="mlp_2x64", hidden=(64, 64)),
            Architecture(name="mlp_3x128", hidden=(128, 128, 128)),
            Architecture(name="mlp_4x256", hidden=(256, 256, 256, 256)),
            Architecture(name="attention", hidden=(64, 64, 64), neighbours=2),
        )
    }
)
"""By name, the smallest first."""


def find_architecture(name: str) -> Architecture:
    """The architecture of that name.

    Raises:
        UserError: there is none.
    """
    if name not in ARCHITECTURES:
        raise UserError(f"no architecture {name!r}; there are {', '.join(ARCHITECTURES)}")
    return ARCHITECTURES[name]
