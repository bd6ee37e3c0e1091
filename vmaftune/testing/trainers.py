"""The contract of trainers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property, partial

from vmaftune.contract.captures import Capture
from vmaftune.contract.plugins import Trainer, TrainerSpec
from vmaftune.testing import cases, common
from vmaftune.testing.check import ContractError
from vmaftune.testing.process import Report
from vmaftune.testing.subject import Subject

_SOURCES = 20
_ROUNDS = 2
_PROCESSES = 2


class TrainerSubject(Subject[TrainerSpec]):
    """A trainer under test."""

    @cached_property
    def captures(self) -> list[Capture]:
        """What it is taught."""
        return cases.captures(cases.sources(_SOURCES))

    @cached_property
    def elsewhere(self) -> Report:
        """A run in another process."""
        with self.folder() as folder:
            return self.together(folder, learn_and_close, [(self.captures,)], local_sockets=True)[0]


def learn_all(trainer: Trainer, captures: Sequence[Capture]) -> None:
    """Each in its turn."""
    for capture in captures:
        trainer.learn(capture)


def learn_and_close(trainer: Trainer, captures: Sequence[Capture]) -> None:
    """One run."""
    learn_all(trainer, captures)
    trainer.close()


def checks(spec: TrainerSpec) -> list[Callable[[TrainerSubject], None]]:
    """Those that hold for what the spec declares."""
    made: list[Callable[[TrainerSubject], None]] = [*common.FOR_ALL, *_ALWAYS]
    made += [check_threads_do_not_disturb_it] if spec.thread_safe else []
    made += [check_processes_do_not_disturb_it] if spec.process_safe else []
    return made


def check_learn_does_not_block(of: TrainerSubject) -> None:
    """No call of learn takes longer than its spec declares (budget_ms), not even one among many."""
    worst = []
    for _ in range(_ROUNDS):  # a busy host holds one call up now and then, a trainer that blocks does so in every round
        with of.folder() as folder:
            trainer = of.make(folder)
            worst.append(max(common.milliseconds(partial(trainer.learn, capture)) for capture in of.captures))
            trainer.close()
    if min(worst) > common.SLACK * of.spec.budget_ms:
        said = f"its spec declares budget_ms={of.spec.budget_ms:g}, and {common.SLACK:g} times that is allowed"
        raise ContractError(f"one of {len(of.captures)} calls of learn takes {min(worst):.1f} ms; {said}")


def check_close_may_come_twice(of: TrainerSubject) -> None:
    """The run can be over twice."""
    with of.folder() as folder:
        trainer = of.make(folder)
        learn_and_close(trainer, of.captures[:1])
        trainer.close()


def check_close_may_come_first(of: TrainerSubject) -> None:
    """A run can be over before anything was learned."""
    with of.folder() as folder:
        of.make(folder).close()


def check_odd_captures(of: TrainerSubject) -> None:
    """Captures of sources without pilots (NaN) or that cannot be, and of scores that are 100 VMAF off, do no harm."""
    with of.folder() as folder:
        learn_and_close(of.make(folder), [*of.captures[:1], *cases.odd_captures(), *of.captures[1:2]])


def check_cache_folder_need_not_be_there(of: TrainerSubject) -> None:
    """It learns on a host where the cache folder was never made."""
    with of.folder() as folder:
        learn_and_close(of.make(folder / "not" / "made"), of.captures[:1])


def check_writes_only_in_its_cache_folder(of: TrainerSubject) -> None:
    """In another process it writes nowhere but in its cache folder."""
    common.only_wrote_in_its_folder(of.elsewhere)


def check_uses_no_network(of: TrainerSubject) -> None:
    """In another process it opens no connection, but to sockets of this host (AF_UNIX), and looks no name up."""
    common.reached_nobody(of.elsewhere)


def check_threads_do_not_disturb_it(of: TrainerSubject) -> None:
    """It declares thread_safe: several threads can teach one instance at once."""
    with of.folder() as folder:
        trainer = of.make(folder)
        shares = [of.captures[n :: common.THREADS] for n in range(common.THREADS)]
        common.at_once([partial(learn_all, trainer, share) for share in shares])
        trainer.close()


def check_processes_do_not_disturb_it(of: TrainerSubject) -> None:
    """It declares process_safe: several processes can learn in one cache folder at once."""
    with of.folder() as folder:
        shares = [(of.captures[n::_PROCESSES],) for n in range(_PROCESSES)]
        of.together(folder, learn_and_close, shares, local_sockets=True)


_ALWAYS = (
    check_learn_does_not_block,
    check_close_may_come_twice,
    check_close_may_come_first,
    check_odd_captures,
    check_cache_folder_need_not_be_there,
    check_writes_only_in_its_cache_folder,
    check_uses_no_network,
)
