"""The alias is followed: at most one look per interval, one assignment per swap, nothing lost when a look fails."""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from touchstone.errors import LineageError
from touchstone.serving._bundle import Bundle
from touchstone.serving._watcher import AliasWatcher
from touchstone.tracking import ServedModel

FIRST = ServedModel(version=1, run_id="one", bundle=Path("one"), verdict="passed")
SECOND = replace(FIRST, version=2, run_id="two", bundle=Path("two"))


@dataclass
class Registry:
    """A registry, a loader and a clock under the test's hand."""

    served: ServedModel | None = FIRST
    time: float = 0.0
    n_looks: int = 0
    n_loads: int = 0
    broken: tuple[int, ...] = ()

    def resolve(self, alias: str) -> ServedModel:
        self.n_looks += 1
        if self.served is None:
            raise LineageError(f"A model must carry the alias '{alias}', but none does: promote one.")
        return self.served

    def load(self, served: ServedModel) -> Bundle:
        self.n_loads += 1
        if served.version in self.broken:
            raise LineageError(f"Version {served.version} is broken: register it again.")
        return Bundle(served, card=None, forecaster=None)  # type: ignore[arg-type]

    def watcher(self, **more: Any) -> AliasWatcher:
        return AliasWatcher("champion", self.resolve, self.load, clock=lambda: self.time, **more)


def test_one_look_per_interval_and_one_load_per_version() -> None:
    registry = Registry()
    watcher = registry.watcher()
    for registry.time in (0.0, 0.1, 0.99, 1.0, 1.5, 2.1):
        assert watcher.current().served == FIRST
    assert (registry.n_looks, registry.n_loads) == (3, 1)


def test_a_moved_alias_is_followed_and_requests_keep_what_they_started_with() -> None:
    registry = Registry()
    watcher = registry.watcher()
    held = watcher.current()
    registry.served = SECOND
    assert watcher.current() is held
    registry.time = 1.0
    assert watcher.current().served == SECOND
    assert held.served == FIRST


@pytest.mark.parametrize(("served", "broken", "said"), [(None, (), "none does"), (SECOND, (2,), "Version 2 is broken")])
def test_a_look_that_fails_leaves_the_version_in_service_and_is_said(
    served: ServedModel | None, broken: tuple[int, ...], said: str, caplog: pytest.LogCaptureFixture
) -> None:
    registry = Registry(broken=broken)
    watcher = registry.watcher()
    watcher.current()
    assert watcher.problem is None
    registry.served = served
    with caplog.at_level(logging.WARNING):
        for registry.time in (1.0, 2.0, 3.0):
            assert watcher.current().served == FIRST
    assert said in (watcher.problem or "")
    assert sum(record.levelno >= logging.WARNING for record in caplog.records) == 1
    registry.served, registry.time, registry.broken = SECOND, 4.0, ()
    assert watcher.current().served == SECOND
    assert watcher.problem is None


def test_without_a_first_version_every_request_is_told_why_until_there_is_one() -> None:
    registry = Registry(served=None)
    watcher = registry.watcher()
    for registry.time in (0.0, 0.5):
        with pytest.raises(LineageError, match="none does"):
            watcher.current()
    assert registry.n_looks == 1
    registry.served, registry.time = FIRST, 1.0
    assert watcher.current().served == FIRST


def test_many_threads_share_one_first_load_and_none_waits_for_a_later_one() -> None:
    registry = Registry()
    loading, release = threading.Event(), threading.Event()

    def slow(served: ServedModel) -> Bundle:
        loading.set()
        release.wait(10)
        return registry.load(served)

    watcher = AliasWatcher("champion", registry.resolve, slow, clock=lambda: registry.time)
    answers: list[Bundle] = []
    threads = [threading.Thread(target=lambda: answers.append(watcher.current())) for _ in range(8)]
    for thread in threads:
        thread.start()
    loading.wait(10)
    release.set()
    for thread in threads:
        thread.join(10)
    assert registry.n_loads == 1
    assert len({id(answer) for answer in answers}) == 1

    registry.served, registry.time = SECOND, 1.0
    loading.clear()
    release.clear()
    swapping = threading.Thread(target=watcher.current)
    swapping.start()
    loading.wait(10)
    assert watcher.current().served == FIRST
    release.set()
    swapping.join(10)
    assert watcher.current().served == SECOND
