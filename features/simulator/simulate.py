"""Making a whole mall: blocks side by side, progress, and the number of events that was asked for."""

import math
import multiprocessing
import os
import queue
import signal
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any, Final

from threadpoolctl import threadpool_limits

from features.contracts.errors import InputError, MallardError
from features.contracts.progress import Task, step
from features.simulator.block import BlockSummary, simulate_block
from features.simulator.catalogue import make_catalogue
from features.simulator.world import World
from features.simulator.write import finish, staging

_PILOT: Final = 2_000  # people whose days are lived to find the scale of visit rates
_ROUNDS: Final = 5
_CLOSE: Final = 0.02
_FAR: Final = 0.1
_POLL_SECONDS: Final = 0.2


@dataclass(frozen=True)
class Mall:
    """What was made."""

    folder: Path
    world: World
    events: int
    fake_events: int
    accounts: int


def simulate(world: World, out: Path, *, processes: int = 1) -> Mall:
    """Write the mall of ``world`` into ``out``, which must not exist; the result does not depend on ``processes``.

    Raises :class:`features.contracts.errors.InputError` when ``out`` cannot be used. When it ends in any other way
    than well, ``out`` does not exist.
    """
    with staging(out) as folder, threadpool_limits(1):
        if world.events is not None:
            world = scaled(world, world.events)
        with step(f"simulating {world.users:,} users", total=world.blocks * world.days, unit="days") as task:
            if min(processes, world.blocks) == 1:
                summaries = [simulate_block(world, b, folder, lambda _: task.advance()) for b in range(world.blocks)]
            else:
                summaries = _side_by_side(world, folder, min(processes, world.blocks), task)
        with step("putting the mall together"):
            finish(folder, out.name, world, make_catalogue(world))
    return Mall(
        out, world, sum(s.events for s in summaries), sum(s.fake_events for s in summaries),
        sum(s.accounts for s in summaries),
    )  # fmt: skip


def scaled(world: World, events: int) -> World:
    """``world`` with the visit rates that bring about ``events`` events, found on some of its people.

    Raises :class:`InputError` when no rate does.
    """
    pilot = world.model_copy(update={"users": min(world.users, _PILOT), "block_users": _PILOT})
    wanted = events * pilot.users / world.users
    scale, power = 1.0, 1.0
    seen: list[tuple[float, float]] = []
    with step("finding visit rates", total=_ROUNDS, unit="rounds") as task:
        for _ in range(_ROUNDS):
            count = simulate_block(pilot.model_copy(update={"visit_scale": scale}), 0, None).events
            task.advance()
            seen.append((math.log(scale), math.log(max(count, 1))))
            if abs(count / wanted - 1) < _CLOSE:
                break
            if len(seen) > 1 and seen[-1][0] != seen[-2][0]:
                slope = (seen[-1][1] - seen[-2][1]) / (seen[-1][0] - seen[-2][0])
                power = 1 / min(max(slope, 0.2), 1.5)
            scale = min(max(scale * (wanted / max(count, 1)) ** power, 1e-4), 1e4)
    best = min(seen, key=lambda pair: abs(pair[1] - math.log(wanted)))
    if abs(best[1] - math.log(wanted)) > _FAR:
        nearest = math.exp(best[1]) * world.users / pilot.users
        raise InputError(
            f"events: {world.users:,} users cannot bring about {events:,} events in {world.days:,} days; the nearest "
            f"is about {nearest:,.0f}. Ask for that, or change the number of users or days"
        )
    return world.model_copy(update={"visit_scale": math.exp(best[0])})


# --- several processes --------------------------------------------------------------------------------------
_reports: Any = None
_stop: Event | None = None
_parent: int = 0


class _StoppedError(Exception):
    """The whole mall is given up; so is this block."""


def _enter(reports: Any, stop: Event, parent: int) -> None:
    """Make a worker ready: it hears of the end from the parent, not from the keyboard."""
    global _reports, _stop, _parent  # what a worker process is handed once
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _reports, _stop, _parent = reports, stop, parent
    threadpool_limits(1)


def _report(_: int) -> None:
    assert _stop is not None
    if _stop.is_set() or os.getppid() != _parent:
        raise _StoppedError
    _reports.put(1)


def _work(world: World, block: int, folder: Path) -> BlockSummary:
    return simulate_block(world, block, folder, _report)


def _side_by_side(world: World, folder: Path, processes: int, task: Task) -> list[BlockSummary]:
    context = multiprocessing.get_context("spawn")
    reports, stop = context.Queue(), context.Event()
    with ProcessPoolExecutor(processes, context, _enter, (reports, stop, os.getpid())) as pool:
        futures: list[Future[BlockSummary]] = [pool.submit(_work, world, b, folder) for b in range(world.blocks)]
        try:
            while not all(future.done() for future in futures):
                _drain(reports, task)
                if any(future.done() and future.exception() is not None for future in futures):
                    break
            _drain(reports, task)
            return [future.result() for future in futures]
        except BrokenProcessPool as error:
            raise MallardError(
                "a process of the simulation was ended from outside, most likely for want of memory; "
                "nothing was written. Run it with fewer processes"
            ) from error
        except BaseException:
            stop.set()
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _drain(reports: Any, task: Task) -> None:
    """Tell of the days that were reported, waiting a moment for the first."""
    try:
        task.advance(reports.get(timeout=_POLL_SECONDS))
        while True:
            task.advance(reports.get_nowait())
    except queue.Empty:
        return
