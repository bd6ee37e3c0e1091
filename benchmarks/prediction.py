"""What a prediction costs once the features are there: loading the shipped model, and one curve over the CRF grid (medians).

Beside each stands its ratio to reading the registry of models, in the same run.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

from vmaftune_plugins.predictors.mlp_curves import MlpPredictor

from vmaftune import models
from vmaftune.contract import CurveContext
from vmaftune.contract.features import FEATURES, SCHEMA_VERSION, Features
from vmaftune.crf_search.grid import crf_grid
from vmaftune.host.manager import PluginManager

_LOADS, _CURVES = 20, 500


def median_ms(call: Callable[[], object], times: int) -> float:
    """Median wall time of ``call`` in milliseconds, after one call that is not counted."""
    call()
    each = []
    for _ in range(times):
        began = time.perf_counter()
        call()
        each.append(time.perf_counter() - began)
    return 1e3 * statistics.median(each)


def main() -> None:
    registry = median_ms(models.entries, _LOADS)
    load = median_ms(MlpPredictor, _LOADS)
    print(f"model loaded and checked: {load:.1f} ms ({load / registry:.0f} times reading the registry)")
    features = Features(schema=SCHEMA_VERSION, values=tuple(scale.centre for scale in FEATURES.values()))
    predictor = MlpPredictor()
    for name in ("libx264", "libsvtav1"):
        spec = PluginManager().encoders[name]
        grid = crf_grid(spec, None, None, None)
        context = CurveContext(features=features, encoder=spec, preset=spec.default_preset, crfs=grid)
        curve = median_ms(lambda context=context: predictor.predict(context), _CURVES)
        print(
            f"curve of {name} over {len(grid)} CRFs: {curve:.2f} ms ({curve / registry:.2f} times reading the registry)"
        )


if __name__ == "__main__":
    main()
