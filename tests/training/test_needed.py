"""Training needs more than the rest of vmaf-tune: without it, no other test of this folder is run."""

from __future__ import annotations

import pytest

from tests.training.conftest import NEEDED


@pytest.mark.parametrize("module", NEEDED)
def test_it_is_installed(module: str) -> None:
    pytest.importorskip(module, reason=f"training needs {module}: pip install 'vmaf-tune[train]'")
