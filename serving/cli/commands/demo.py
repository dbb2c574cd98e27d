"""``mallard demo``: the whole journey, from a sample's log to a server that answers."""

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial

import click

from features.contracts.errors import InputError, MissingStateError, NotEnoughDataError, PromotionRefusedError
from features.contracts.home import Home
from features.contracts.progress import say
from features.lake import Lake
from features.sources import SAMPLES
from serving.access.tokens import is_loopback
from serving.cli.budget import minutes
from serving.cli.calls import Call, calls_for, some_user
from serving.cli.command import command, pass_session
from serving.cli.commands.deploy import deploy_registered
from serving.cli.commands.evaluate import figures_text
from serving.cli.commands.ingest import ingest_source
from serving.cli.commands.keys import new_key, store_of
from serving.cli.commands.score import score_users
from serving.cli.commands.serve import run_server
from serving.cli.moments import moment_of
from serving.cli.progress import duration
from serving.cli.session import Session
from serving.cli.tags.building import build_all, kept_build
from serving.cli.tags.profiling import strongest_tags
from serving.marketing import open_snapshot
from serving.store import Scope
from serving.store.keys import DEMO
from training.bundle import read_bundle
from training.deployment import live
from training.jobs import train_churn, train_recommend
from training.tracking import CHALLENGER, CHAMPION, KINDS, Tracker

BUDGET = "1m"
_STRONGEST = 12  # tags


@dataclass
class Journey:
    """What was done, in order: (step, what came of it, seconds)."""

    steps: list[tuple[str, str, float]] = field(default_factory=list)

    def step(self, name: str, do: Callable[[], str]) -> None:
        """Do one step, say what came of it and remember it."""
        started = time.monotonic()
        came = do()
        taken = time.monotonic() - started
        self.steps.append((name, came, taken))
        say(f"[{len(self.steps)}] {name}: {came} ({duration(taken)})")


@command("demo", example="mallard demo\nmallard demo --no-serve\nmallard demo --sample cdnow --port 8080")
@click.option("--sample", default="complete-journey", type=click.Choice(list(SAMPLES)), help="The log to start from.")
@click.option("--budget", default=BUDGET, callback=minutes, metavar="TIME",
              help="Time to choose the recommender's settings in.")  # fmt: skip
@click.option("--serve/--no-serve", default=True, help="Serve at the end, or stop before it.")
@click.option("--host", default="127.0.0.1", help="Address to listen on.")
@click.option("--port", default=8000, type=click.IntRange(1, 65535), help="Port to listen on.")
@pass_session
def demo(session: Session, *, sample: str, budget: float, serve: bool, host: str, port: int) -> None:
    """Ingest a sample, build tags, train, judge, promote, deploy, score, and serve.

    What an earlier call has done is used again. At the end it says how good the models are against their baselines
    and how each kind of user calls the server.
    """
    if serve and not is_loopback(host):
        raise InputError(
            f"the demo prints a key that opens everything, so it serves on this machine only, not on {host}; "
            "after 'mallard demo --no-serve' make keys of your own and use 'mallard serve --host'"
        )
    home = session.home
    journey = Journey()
    started = time.monotonic()
    journey.step("log", lambda: _log(home, sample))
    journey.step("tags", lambda: _tags(home))
    journey.step("churn model", lambda: _train(home, "churn", lambda: train_churn(home)))
    journey.step("recommendation model", lambda: _train(home, "recommend", lambda: train_recommend(home, budget)))
    for kind in KINDS:
        journey.step(f"deploy {kind}", partial(_deploy, home, kind))
    journey.step("risk snapshot", lambda: _score(home))
    key = _fresh_key(home)
    calls = calls_for(home, f"http://{host}:{port}", key)
    user = some_user(home)
    person = f"What stands out in user {user}\n\n{strongest_tags(home, user, _STRONGEST)}"
    figures = _figures(home)
    seconds = time.monotonic() - started
    session.answer(
        {
            "steps": [
                {"step": name, "result": came, "seconds": round(taken, 3)} for name, came, taken in journey.steps
            ],
            "seconds": round(seconds, 3),
            "person": person,
            "figures": figures,
            "key": key,
            "calls": [vars(call) for call in calls],
        },
        _summary(seconds, person, figures, calls),
    )
    if serve:
        run_server(home, host, port)


def _log(home: Home, sample: str) -> str:
    lake = Lake(home)
    if not lake.is_empty:
        return f"reused, the lake holds events up to {lake.last_event_at():%Y-%m-%d}"
    report = ingest_source(home, SAMPLES[sample]())
    return (
        f"{report.rows_in:,} rows of {sample}, {report.accepted:,} accepted, {report.rejected:,} in quarantine "
        f"(error rate {report.error_rate:.3%}, limit {report.error_limit:.1%})"
    )


def _tags(home: Home) -> str:
    kept = kept_build(home)
    built = kept or build_all(home)
    reused = "reused, " if kept else ""
    return f"{reused}{len(built.tags)} tags of {built.users:,} users as of {built.as_of:%Y-%m-%d}"


def _train(home: Home, kind: str, train: Callable[[], object]) -> str:
    """Train unless this log has given a model already, and make it the champion if it may be."""
    tracker = Tracker(home)
    champion = tracker.alias(kind, CHAMPION)
    if champion is not None:
        return f"reused, version {champion.version} is the champion"
    challenger = tracker.alias(kind, CHALLENGER)
    if challenger is None or challenger.fingerprint != Lake(home).fingerprint():
        try:
            train()
        except NotEnoughDataError as error:
            return f"left out: {error}"
    try:
        champion = tracker.alias(kind, CHAMPION) or tracker.promote(kind)
    except PromotionRefusedError as error:
        return str(error)
    against = f"; {champion.comparisons[0]}" if champion.comparisons else ""
    return f"version {champion.version} is the champion{against}"


def _deploy(home: Home, kind: str) -> str:
    champion = Tracker(home).alias(kind, CHAMPION)
    if champion is None:
        return "nothing to deploy: there is no champion"
    version = read_bundle(champion.path).manifest.version
    path = live(home, kind)
    if path is not None and path.name == version:
        return f"reused, {version} is live"
    return f"{deploy_registered(home, kind).version} is live"


def _score(home: Home) -> str:
    path = live(home, "churn")
    if path is None:
        return "left out: no churn model is live"
    with suppress(MissingStateError):
        info = open_snapshot(home).info
        if info.model_version == path.name and info.as_of == moment_of(None, Lake(home)).isoformat():
            return f"reused, {info.count:,} users in {info.id}"
    info = score_users(home)
    return f"{info.count:,} users in {info.id}"


def _fresh_key(home: Home) -> str:
    """A new key for everything; the one of an earlier call is revoked, since nobody can read it again."""
    with store_of(home) as store:
        records = store.keys()
        for record in records:
            if record.name == DEMO and record.revoked_at is None:
                store.revoke_key(record.id, int(time.time()))
    return new_key(home, DEMO, tuple(scope.value for scope in Scope)).text


def _figures(home: Home) -> str:
    tracker = Tracker(home)
    registered = {kind: [model for model in tracker.versions(kind) if model.aliases] for kind in KINDS}
    return "\n\n".join(figures_text(kind, models) for kind, models in registered.items())


def _summary(seconds: float, person: str, figures: str, calls: list[Call]) -> str:
    lines = [f"Done in {duration(seconds)}.", "", person, "", "How good the models are", "", figures]
    lines += ["", "How to call the server"]
    for call in calls:
        lines += ["", f"# {call.who}: {call.what}", call.line]
    return "\n".join(lines)
