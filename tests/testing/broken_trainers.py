"""Trainers that break their contract: for each check at least one that fails it, and no other."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from tests.testing import faults
from vmaftune.contract import Capture, PluginContext, TrainerSpec


class Good:
    """Counts what it was taught."""

    def __init__(self, context: PluginContext) -> None:
        self.folder = context.cache_folder / "good"
        self.captures = 0

    def learn(self, capture: Capture) -> None:
        self.captures += 1

    def close(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / "counts.txt").open("a") as file:
            file.write(f"{self.captures}\n")


class BlocksNowAndThen(Good):
    def learn(self, capture: Capture) -> None:
        super().learn(capture)
        time.sleep(0.3 if self.captures % 32 == 0 else 0.0)


class ClosesOnce(Good):
    def close(self) -> None:
        super().close()
        del self.folder


class ClosesWhatItLearned(Good):
    last: Capture

    def learn(self, capture: Capture) -> None:
        self.last = capture

    def close(self) -> None:
        assert self.last.crf


class RefusesNan(Good):
    def learn(self, capture: Capture) -> None:
        if np.isnan(capture.features.values).any():
            raise ValueError("a feature is NaN")


class WantsItsFolder(Good):
    def close(self) -> None:
        self.folder.mkdir(exist_ok=True)


class WritesElsewhere(Good):
    def close(self) -> None:
        faults.write_elsewhere()


class LooksANameUp(Good):
    def learn(self, capture: Capture) -> None:
        faults.look_a_name_up()


class TalksToThisHost(Good):
    def learn(self, capture: Capture) -> None:
        faults.talk_to_this_host()


class OneThreadAtATime(Good):
    busy = False

    def learn(self, capture: Capture) -> None:
        if self.busy:
            raise RuntimeError("taught by two at once")
        self.busy = True
        time.sleep(0.001)
        self.busy = False


class OneProcessAtATime(Good):
    def __init__(self, context: PluginContext) -> None:
        super().__init__(context)
        (context.cache_folder / "lock").mkdir(parents=True)


def spec(factory: type[Good], **changes: Any) -> TrainerSpec:
    """Promises nothing about threads and processes, unless told otherwise: what is not promised need not be tried."""
    return TrainerSpec(**{"name": "under-test", "version": "1", "factory": factory, "process_safe": False, **changes})


GOOD = [spec(factory, thread_safe=True, process_safe=True) for factory in (Good, TalksToThisHost)]
BROKEN = [
    ("name_can_be_typed", spec(Good, name="-o")),
    ("settings_have_valid_defaults", spec(Good, settings=faults.OutOfItsRange)),
    ("unknown_settings_are_refused", spec(Good, settings=faults.TakesAnything)),
    ("learn_does_not_block", spec(BlocksNowAndThen)),
    ("close_may_come_twice", spec(ClosesOnce)),
    ("close_may_come_first", spec(ClosesWhatItLearned)),
    ("odd_captures", spec(RefusesNan)),
    ("cache_folder_need_not_be_there", spec(WantsItsFolder)),
    ("writes_only_in_its_cache_folder", spec(WritesElsewhere)),
    ("uses_no_network", spec(LooksANameUp)),
    ("threads_do_not_disturb_it", spec(OneThreadAtATime, thread_safe=True)),
    ("processes_do_not_disturb_it", spec(OneProcessAtATime, process_safe=True)),
]
