"""Architectures have the parameters that the decision records name."""

from __future__ import annotations

import pytest
import torch

from tests.tiny.build import made_table
from vmaftune.errors import UserError
from vmaftune.tiny.architectures import ARCHITECTURES, find_architecture
from vmaftune.tiny.folds import windows
from vmaftune.tiny.network import NO_SCALE, begun


@pytest.mark.parametrize(
    ("name", "count"), [("linear", 7), ("mlp_small", 257), ("mlp_medium", 2561), ("mlp_2x64", 4673)]
)
def test_parameters_are_those_of_the_records(name: str, count: int) -> None:
    assert find_architecture(name).parameters == count


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_every_architecture_counts_what_it_holds(name: str) -> None:
    architecture = ARCHITECTURES[name]
    networks = begun(architecture, [NO_SCALE], seed=0)
    assert sum(parameter.numel() for parameter in networks.parameters) == architecture.parameters
    table = made_table(1, 1)
    rows = torch.tensor(table.features[windows(table, architecture.neighbours)], dtype=torch.float32)
    assert networks.vmaf(rows, clip=False).shape == (1, len(table))


def test_mlps_are_those_of_torch() -> None:
    """The same weights in torch.nn give the same scores."""
    networks = begun(ARCHITECTURES["mlp_medium"], [NO_SCALE], seed=3)
    layers: list[torch.nn.Module] = []
    for weight, bias in zip(networks.parameters[::2], networks.parameters[1::2], strict=True):
        layer = torch.nn.Linear(*weight.shape[1:])
        with torch.no_grad():
            layer.weight.copy_(weight[0].T)
            layer.bias.copy_(bias[0, 0])
        layers += [layer, torch.nn.ReLU()]
    rows = torch.tensor(made_table().features, dtype=torch.float32)
    wanted = torch.nn.Sequential(*layers[:-1])(rows)[:, 0].detach()
    assert torch.allclose(networks.vmaf(rows[:, None], clip=False)[0], wanted, atol=1e-5)


def test_a_name_that_nobody_has_is_one_line() -> None:
    with pytest.raises(UserError, match="no architecture 'mlp_huge'; there are linear, mlp_small"):
        find_architecture("mlp_huge")
