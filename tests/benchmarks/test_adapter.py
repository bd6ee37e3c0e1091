"""The adapters that benchmarks/tenants.py measures: they add to a base that stays, and merge into its file."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("onnx")

from adapter import Adapter  # noqa: E402
from vmaftune_plugins.encoders import vmaftune_encoders  # noqa: E402
from vmaftune_plugins.trainers.corpus import own_corpus  # noqa: E402
from vmaftune_plugins.trainers.descent import Descent  # noqa: E402
from vmaftune_plugins.trainers.encoded import Encoding  # noqa: E402
from vmaftune_plugins.trainers.sgd_ema_settings import Settings  # noqa: E402
from vmaftune_plugins.trainers.weights import Network  # noqa: E402

from vmaftune import models  # noqa: E402


@pytest.mark.parametrize(("rank", "principal"), [(0, False), (1, False), (2, False), (2, True)])
def test_an_adapter_trains_beside_a_frozen_base_and_merges_into_its_file(rank: int, principal: bool) -> None:
    entry, content = models.load("mlp_v1")
    base = Network(content, "mlp_v1")
    rows = own_corpus(entry, Encoding(base.contract, {spec.name: spec for spec in vmaftune_encoders()})).reference[:32]
    before = base.theta.copy()
    adapter = Adapter(base, rank, seed=0, principal=principal)
    assert np.array_equal(adapter.weights(adapter.theta), before)  # B is zero: it begins as the base
    descent = Descent(adapter, Settings(optimiser="adam", learning_rate=0.01), rows)  # type: ignore[arg-type]
    for _ in range(20):
        descent.train(rows)
    merged = adapter.weights(descent.average)
    assert np.array_equal(base.theta, before)
    assert np.abs(base.predicted(merged, rows) - base.predicted(before, rows)).max() > 1e-3
    assert base.difference(merged, base.file(merged), rows) < 1e-4
    changed = {slot.name for slot in base.slots if (merged != before)[slot.begin : slot.end].any()}
    assert changed == ({"bias"} if rank == 0 else {slot.name for slot in base.slots if "bias" not in slot.name})
    for slot in base.slots:
        if rank and slot.name in changed:
            delta = (merged - before)[slot.begin : slot.end].reshape(slot.shape)
            sizes = np.linalg.svd(delta, compute_uv=False)
            assert (sizes[rank:] < 1e-3 * sizes[0]).all()  # float32's rounding is all that lies beyond the rank
