"""What the trainer learns of a new domain, what it forgets of the old one, and what its gate lets through.

The captures are real: rows of the shipped corpus. The old domain is clips that are easy to encode, the new one those whose
finer pilot has a VMAF below 88 (grain, water, leaves, crowds). A base model is trained on old clips alone. The trainer is
then fed the scores of new ones, source after source, over and over, as a farm's nodes would send them. What is judged are
sources of both domains that neither the base model nor the stream has. All of it for several splits of the sources.

Poisoned are the same streams, and streams of the old domain: scores at random, shifted by 20 VMAF, swapped among samples.
Recovery: after so many poisoned scores right ones come again, and checkpoints are to pass again.

    python benchmarks/forgetting.py [--splits 3] [--samples 3000] [--only learning|poison|recovery]
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
import torch
from vmaftune_plugins.encoders import vmaftune_encoders
from vmaftune_plugins.trainers.encoded import SCORE, Encoding, LeftOut, Rows
from vmaftune_plugins.trainers.learner import SgdEmaLearner
from vmaftune_plugins.trainers.sgd_ema_settings import Settings
from vmaftune_plugins.trainers.weights import Network

from vmaftune import models
from vmaftune.contract.features import NAMES
from vmaftune.contract.learner import Published, Sample
from vmaftune.corpus.rows import CorpusRow, model_rows, packed
from vmaftune.state.folders import models_folder
from vmaftune.training.predictor import train_predictor
from vmaftune.training.register import register_predictor

ENCODERS = {spec.name: spec for spec in vmaftune_encoders()}
HARD_PILOT_VMAF = 88.0
TEST_OLD, TEST_NEW = 0.2, 0.4
CHECKPOINT_SAMPLES = 1000

Poison = Callable[[list[Sample], np.random.Generator], list[Sample]]


@dataclass(frozen=True, kw_only=True)
class Split:
    """One division of the sources.

    Attributes:
        base: id of the registered model that knows the old domain only.
        stream, ordinary: rows of the new and of the old domain that a trainer is fed.
        new, old: rows of both domains that nobody trains on.
    """

    base: str
    stream: list[CorpusRow]
    ordinary: list[CorpusRow]
    new: Rows
    old: Rows


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What came of one stream.

    Attributes:
        new_percent, old_percent: change of the mean absolute error of the last checkpoint, over that of the base.
        stable_new_percent, stable_old_percent: the same of what ``latest-stable`` means at the end.
        published: all checkpoints.
        seconds: of CPU and waiting.
    """

    new_percent: float
    old_percent: float
    stable_new_percent: float
    stable_old_percent: float
    published: list[Published]
    seconds: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--splits", type=int, default=3)
    parser.add_argument("--samples", type=int, default=3000)
    parser.add_argument("--only", choices=("learning", "poison", "recovery"))
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as scratch:
        os.environ["VMAFTUNE_MODELS"] = str(Path(scratch) / "bases")
        splits = [split(seed) for seed in range(arguments.splits)]
        for part in (learning, poison, recovery):
            if arguments.only in (None, part.__name__):
                part(splits, arguments.samples)


def learning(splits: Sequence[Split], samples: int) -> None:
    """Print what each way of training learns and forgets."""
    print(
        f"\n{len(splits)} splits, {samples:,} samples: change of the error on held-out sources, mean (worst) over splits\n"
    )
    print("| training | new domain | old domain | checkpoints let through | latest-stable: new, old | ms a sample |")
    print("|---|---|---|---|---|---|")
    ways = {
        "as it ships": {},
        "no rehearsal": {"rehearsal": 0.0},
        "no rehearsal, EWC 0.1": {"rehearsal": 0.0, "ewc": 0.1},
        "no rehearsal, EWC 1": {"rehearsal": 0.0, "ewc": 1.0},
        "rehearsal 1": {"rehearsal": 1.0},
        "rehearsal 2": {"rehearsal": 2.0},
        "rehearsal 4, EWC 0.1": {"ewc": 0.1},
        "MSE": {"loss": "mse"},
        "Adam": {"optimiser": "adam"},
    }
    for name, changes in ways.items():
        outcomes = [run(s, s.stream, samples, Settings(model=s.base, **changes)) for s in splits]  # type: ignore[arg-type]
        through = sum(p.stable for o in outcomes for p in o.published)
        stable_new, stable_old = ([getattr(o, f"stable_{which}_percent") for o in outcomes] for which in ("new", "old"))
        cells = [
            name,
            _mean_worst([o.new_percent for o in outcomes]),
            _mean_worst([o.old_percent for o in outcomes]),
            f"{through} of {sum(len(o.published) for o in outcomes)}",
            f"{np.mean(stable_new):+.0f} %, {np.mean(stable_old):+.0f} %",
            f"{1e3 * sum(o.seconds for o in outcomes) / samples / len(splits):.1f}",
        ]
        print("| " + " | ".join(cells) + " |", flush=True)
        _print_rejected(outcomes)


def poison(splits: Sequence[Split], samples: int) -> None:
    """Print what the gate does with streams that lie."""
    print(f"\n{len(splits)} splits, {samples:,} samples: poisoned streams\n")
    print("| stream | scores | checkpoints let through | latest-stable moved |")
    print("|---|---|---|---|")
    for stream in ("new", "old"):
        for name, change in POISONS.items():
            outcomes = []
            for s in splits:
                rows = s.stream if stream == "new" else s.ordinary
                outcomes.append(run(s, rows, samples, Settings(model=s.base), change))
            through = sum(p.stable for o in outcomes for p in o.published)
            moved = sum(o.stable_new_percent != 0.0 for o in outcomes)
            published = sum(len(o.published) for o in outcomes)
            print(f"| {stream} domain | {name} | {through} of {published} | {moved} of {len(splits)} |", flush=True)


def recovery(splits: Sequence[Split], samples: int) -> None:
    """Print how long the gate stays shut after poisoned scores."""
    wrong = samples // 3
    print(f"\n{len(splits)} splits, {wrong:,} poisoned scores of the new domain, then {2 * samples:,} right ones\n")
    print(
        "| scores | let through of those before right ones came | right scores until one passes, each split | new, old |"
    )
    print("|---|---|---|---|")
    for name, change in POISONS.items():

        def at_first(all_: list[Sample], random: np.random.Generator, change: Poison = change) -> list[Sample]:
            return change(all_[:wrong], random) + all_[wrong:]

        outcomes = [run(s, s.stream, wrong + 2 * samples, Settings(model=s.base), at_first) for s in splits]
        early = wrong // CHECKPOINT_SAMPLES
        through = sum(p.stable for o in outcomes for p in o.published[:early])
        waits = [
            next((CHECKPOINT_SAMPLES * n for n, p in enumerate(o.published[early:], 1) if p.stable), None)
            for o in outcomes
        ]
        waited = ", ".join("never" if wait is None else f"{wait:,}" for wait in waits)
        stable_new, stable_old = ([getattr(o, f"stable_{which}_percent") for o in outcomes] for which in ("new", "old"))
        change_of = f"{np.mean(stable_new):+.0f} %, {np.mean(stable_old):+.0f} %"
        print(f"| {name} | {through} of {early * len(splits)} | {waited} | {change_of} |", flush=True)
        _print_rejected(outcomes)


def run(
    split: Split, rows: Sequence[CorpusRow], count: int, settings: Settings, change: Poison | None = None
) -> Outcome:
    """Feed a stream to a new trainer, with a registry of its own and a clock that runs ten minutes a checkpoint."""
    random = np.random.default_rng(1)
    samples = [sample for sample, _ in zip(_endless(rows, random), range(count), strict=False)]
    if change is not None:
        samples = change(samples, random)
    bases = os.environ["VMAFTUNE_MODELS"]
    with tempfile.TemporaryDirectory() as scratch:
        entry, content = models.load(split.base)
        data = models.read(entry, entry.data)
        os.environ["VMAFTUNE_MODELS"] = f"{scratch}/models"
        try:
            models.register(models_folder(), entry, {entry.file: content, entry.data: data})
            began = time.perf_counter()
            learner = SgdEmaLearner(
                settings, Path(scratch) / "trainer", lambda text: print(text, file=sys.stderr), ENCODERS
            )
            published, last = [], learner.network.theta
            learner.checkpoint(0.0)
            for number, sample in enumerate(samples, 1):
                learner.ingest([sample])
                while learner.train():
                    pass
                done = learner.checkpoint(0.6 * number)  # seconds: ten minutes for a thousand samples
                if done is not None:
                    published.append(done)
                    last = Network(models.load(published[-1].version.rpartition("-")[0])[1], "checkpoint").theta
            seconds = time.perf_counter() - began
            stable = learner.network.theta
            if models.promoted(models_folder()):
                stable = Network(models.load(models.LATEST_STABLE)[1], "stable").theta
        finally:
            os.environ["VMAFTUNE_MODELS"] = bases

    def change_percent(theta: np.ndarray, rows: Rows) -> float:
        before, after = (
            np.abs(learner.network.predicted(t, rows) - rows[:, SCORE]).mean() for t in (learner.network.theta, theta)
        )
        return float(100.0 * (after / before - 1.0))

    return Outcome(
        new_percent=change_percent(last, split.new),
        old_percent=change_percent(last, split.old),
        stable_new_percent=change_percent(stable, split.new),
        stable_old_percent=change_percent(stable, split.old),
        published=published,
        seconds=seconds,
    )


def split(seed: int) -> Split:
    """Divide the sources, and train and register a base model."""
    rows = model_rows(models.find("mlp_v1"))
    pilot = NAMES.index("pilot_vmaf_fine")
    hard = {row.source for row in rows if row.features[pilot] < HARD_PILOT_VMAF}
    names = sorted({row.source for row in rows})
    order = [names[place] for place in np.random.default_rng(seed).permutation(len(names))]
    new, old = [s for s in order if s in hard], [s for s in order if s not in hard]
    test = {*new[: round(TEST_NEW * len(new))], *old[: round(TEST_OLD * len(old))]}

    def of(is_new: bool, tested: bool) -> list[CorpusRow]:
        """A hard source also has rows of the old domain, such as those of its smaller heights."""
        return [r for r in rows if (r.features[pilot] < HARD_PILOT_VMAF) is is_new and (r.source in test) is tested]

    base = of(False, False)
    name = f"base-{seed}"
    trained = train_predictor(base, {spec.name: spec.search_range for spec in ENCODERS.values()}, seed=0)
    network = Network(trained.content, name)
    register_predictor(models_folder(), name, trained, packed(base))
    encoding = Encoding(network.contract, ENCODERS)
    parts = {"new": of(True, True), "old": of(False, True)}
    encoded = {part: np.array(list(_encoded(own, encoding))) for part, own in parts.items()}
    for part, own in encoded.items():
        error = np.abs(network.predicted(network.theta, own) - own[:, SCORE]).mean()
        sources = len({row.source for row in parts[part]})
        print(f"split {seed}: {part} domain, {sources} sources held out: error of the base {error:.2f} VMAF")
    return Split(base=name, stream=of(True, False), ordinary=base, **encoded)


def _encoded(rows: Sequence[CorpusRow], encoding: Encoding) -> Iterator[Rows]:
    for row in rows:
        try:
            yield encoding.row(row.encoder, row.preset, row.crf, row.features, row.vmaf_mean)
        except LeftOut:
            continue


def _endless(rows: Sequence[CorpusRow], random: np.random.Generator) -> Iterator[Sample]:
    """Samples, source after source, in another order each time round."""
    sources = sorted({row.source for row in rows})
    number = 0
    while True:
        for source in random.permutation(sources):
            own = [row for row in rows if row.source == source]
            for place in random.permutation(len(own)):
                row, number = own[place], number + 1
                yield Sample(
                    id=str(number),
                    encoder=row.encoder,
                    preset=row.preset,
                    crf=row.crf,
                    features=row.features,
                    true_score=row.vmaf_mean,
                    unix_seconds=float(number),
                )


def _scores(change: Callable[[np.ndarray, np.random.Generator], np.ndarray]) -> Poison:
    def poisoned(samples: list[Sample], random: np.random.Generator) -> list[Sample]:
        scores = np.clip(change(np.array([sample.true_score for sample in samples]), random), 0.0, 100.0)
        return [msgspec.structs.replace(s, true_score=float(v)) for s, v in zip(samples, scores, strict=True)]

    return poisoned


POISONS = {
    "random": _scores(lambda scores, random: random.uniform(0.0, 100.0, len(scores))),
    "20 too low": _scores(lambda scores, random: scores - 20.0),
    "20 too high": _scores(lambda scores, random: scores + 20.0),
    "swapped": _scores(lambda scores, random: random.permutation(scores)),
    "5 too low": _scores(lambda scores, random: scores - 5.0),
}


def _print_rejected(outcomes: Sequence[Outcome]) -> None:
    for outcome in outcomes:
        for published in outcome.published:
            if published.reasons:
                print(f"  {published.version}: {'; '.join(published.reasons)}", file=sys.stderr, flush=True)


def _mean_worst(values: Sequence[float]) -> str:
    return f"{np.mean(values):+.0f} % ({max(values):+.0f} %)"


if __name__ == "__main__":
    main()
