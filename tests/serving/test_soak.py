"""The verdict of the soak benchmark: what is called growth, and what is not."""

import random
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
CALM = [{"seconds": 0.0, "per_second": 200.0, "p99_ms": 5.0, "failed": 0}]


@pytest.fixture
def soak(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(BENCHMARKS)
    return import_module("soak")


def judged(soak: ModuleType, memory: Callable[[float], float], files: Callable[[float], int] = lambda _: 100) -> Any:
    """Ten minutes of one worker, looked at every three seconds."""
    chance = random.Random(5)
    times = [3.0 * number for number in range(200)]
    looks = [soak.Look(t, 7, memory(t) + chance.gauss(0, 0.5), 400.0, files(t), 20) for t in times]
    return soak.judged(looks, CALM, warm=150, allowed=20)


def test_a_leak_is_told_from_noise_and_from_a_warm_up(soak: ModuleType) -> None:
    leak = judged(soak, lambda t: 300 + t / 3600 * 60)
    assert leak["verdict"] == "grows"
    found = leak["own_mb_per_hour"][7]
    assert found["low"] < 60 < found["high"]
    assert found["high"] - found["low"] < 20
    assert judged(soak, lambda _: 300)["verdict"] == "flat"
    assert judged(soak, lambda t: 300 + min(t, 140) / 4)["verdict"] == "flat"


def test_memory_that_is_given_back_hides_no_leak(soak: ModuleType) -> None:
    assert judged(soak, lambda t: 300 - 90 * (t > 250))["verdict"] == "flat"
    assert judged(soak, lambda t: 300 + t / 3600 * 80 - 90 * (t > 250))["verdict"] == "grows"


def test_open_files_and_workers_are_counted(soak: ModuleType) -> None:
    opened = judged(soak, lambda _: 300, lambda t: 100 + int(t / 10))
    assert (opened["verdict"], "files of worker 7" in opened["reasons"][0]) == ("grows", True)
    assert judged(soak, lambda _: 300, lambda t: 100 + int(t) % 7)["verdict"] == "flat"
    looks = [soak.Look(3.0 * number, 7 if number < 50 else 8, 300, 300, 9, 9) for number in range(100)]
    died = soak.judged([*looks, soak.Look(297.0, 9, 300, 300, 9, 9)], CALM, warm=0, allowed=20)
    assert "did not live from begin to end" in died["reasons"][0]


def test_too_little_tells_no_trend(soak: ModuleType) -> None:
    looks = [soak.Look(float(number), 7, 300, 300, 9, 9) for number in range(3)]
    with pytest.raises(ValueError, match="3 samples"):
        soak.judged(looks, CALM, warm=0, allowed=20)
