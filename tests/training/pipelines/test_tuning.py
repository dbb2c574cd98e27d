import logging
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import pytest
from pydantic import ValidationError

from features.contracts.config import parse_config
from features.contracts.errors import ConfigError, MallardError
from tests.training.models.logs import START, random_log
from training.evaluation.splits import TemporalSplit
from training.interactions import SECONDS_PER_DAY
from training.pipelines.recommend_config import RecommendConfig, SourceSettings
from training.pipelines.recommend_search import search_settings
from training.pipelines.tuning import Studies, fingerprint_of
from training.pipelines.tuning_space import Range

PARTS = 40
LEVEL = np.random.default_rng(0).random(PARTS)  # how hard each part is, for all settings alike
NOISE = np.random.default_rng(1).normal(size=(100, PARTS))
SPACE = {"a": [0, 1, 2, 3], "b": [True, [1, 2]]}
DEFAULT = {"a": 0, "b": None, "c": "not searched"}


class Bench:
    """Scores settings by ``worth`` of ``a`` over parts that are hard or easy, and counts what it was asked."""

    def __init__(self, worth=lambda settings: 0.0, noise=0.0):
        self.asked, self.parts = [], 0
        self._worth, self._noise = worth, noise

    def __call__(self, settings) -> Iterator[float]:
        self.asked.append(settings)
        for part, level in enumerate(LEVEL):
            self.parts += 1
            yield level + self._worth(settings) + self._noise * NOISE[len(self.asked), part]


def clock_of(ticks=0):
    """A clock that moves on by one second whenever it is looked at."""
    moments = iter(range(ticks, 10**9))
    return lambda: float(next(moments))


def tune(bench, studies=None, values=SPACE, default=DEFAULT, *, deadline=1e9, **more):
    studies = studies or Studies(clock=clock_of())
    return studies.tune("thing", values, default, bench, fingerprint="data", deadline=deadline, **more)


def test_the_best_of_a_space_is_found_and_nothing_is_tried_twice():
    bench = Bench(lambda s: 0.02 * s["a"] + 0.01 * (s["b"] == [1, 2]))
    tuned = tune(bench)
    assert tuned.settings == {"a": 3, "b": [1, 2]}
    assert bench.asked[0] == {"a": 0, "b": None}
    assert len(bench.asked) == len({str(settings) for settings in bench.asked}) == 4 * 3
    assert set(tuned.marks) >= {"default", "a=3", "a=3, b=[1, 2]", "b=True"}


def test_the_default_stays_when_nothing_is_better_than_noise():
    assert tune(Bench()).settings == {"a": 0, "b": None}
    tuned = tune(Bench(lambda s: 0.0005 * s["a"], noise=0.1), values={"a": [0, 1, 2]})
    assert tuned.marks["default"] < max(tuned.marks.values())
    assert tuned.settings == {"a": 0}


def test_a_clear_gain_is_taken_although_there_is_noise():
    assert tune(Bench(lambda s: 0.1 * s["a"], noise=0.05)).settings["a"] == 3


def test_what_is_plainly_behind_is_given_up_early():
    bench, ended = Bench(lambda s: -0.1 * s["a"], noise=0.01), []
    tune(bench, Studies(clock=clock_of(), on_trial=ended.append), values={"a": [1, 2, 3]})
    assert [tried.pruned for tried in ended] == [False, True, True, True]
    assert bench.parts < 2.5 * PARTS
    assert [tried.number for tried in ended] == [0, 1, 2, 3]
    assert [tried.settings["a"] for tried in ended] == [0, 1, 2, 3]
    assert all(tried.study == "thing" and tried.seconds >= 0 for tried in ended)
    assert ended[0].value == pytest.approx(LEVEL.mean(), abs=0.01)


def test_nothing_is_begun_past_the_deadline():
    bench = Bench()
    assert tune(bench, deadline=0).settings == {"a": 0, "b": None}
    assert bench.asked == []
    tune(bench, deadline=5)
    assert len(bench.asked) == 5


def test_few_trials_start_near_the_best_so_far():
    """As many trials as there are values find every gain, one on top of the other, in a space of thousands."""
    values = {name: [1, 2, 3] for name in "abcdef"}
    bench = Bench(lambda s: 0.01 * sum(value == 2 for value in s.values()))
    tuned = tune(bench, values=values, default=dict.fromkeys("abcdef", 0), deadline=1 + 3 * 6)
    assert tuned.settings == dict.fromkeys("abcdef", 2)


def test_a_range_is_searched_and_holds_the_default():
    bench = Bench(lambda s: -((np.log10(s["a"]) + 1) ** 2))
    tuned = tune(bench, values={"a": Range(low=0.01, high=1.0, log=True)}, default={"a": 5.0}, deadline=40)
    assert bench.asked[0] == {"a": 5.0}
    assert 0.05 < tuned.settings["a"] < 0.2
    whole = Bench()
    tune(whole, values={"a": Range(low=1, high=5)}, default={"a": 2})
    assert sorted(settings["a"] for settings in whole.asked) == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("bounds", [{"low": 2, "high": 1}, {"low": 0.0, "high": 1.0, "log": True}])
def test_a_range_without_numbers_is_refused(bounds):
    with pytest.raises(ValidationError, match="a range goes from low to a larger high"):
        Range(**bounds)


def test_what_needs_a_fit_changes_seldom():
    bench = Bench()
    tune(
        bench,
        values={"fit": list(range(8)), "ask": list(range(8))},
        default={"fit": 0, "ask": 0},
        cheap=frozenset({"ask"}),
    )
    fits = [settings["fit"] for settings in bench.asked]
    assert len(fits) == 64
    assert sum(a != b for a, b in pairwise(fits)) < 30


def test_a_rerun_starts_from_what_is_known(tmp_path):
    file, first, again = tmp_path / "new" / "thing.db", Bench(lambda s: 0.01 * s["a"]), Bench()
    tune(first, Studies(file, clock=clock_of()), deadline=5)
    ended = []
    tuned = tune(again, Studies(file, clock=clock_of(), on_trial=ended.append), deadline=0)
    assert again.asked == []
    assert len(tuned.marks) == 5
    assert tuned.settings["a"] > 0
    tune(again, Studies(file, clock=clock_of(), on_trial=ended.append))
    assert len(again.asked) == 12 - 5
    assert not any(settings in first.asked for settings in again.asked)
    assert [tried.number for tried in ended] == list(range(5, 12))


def test_other_data_other_code_and_another_space_are_other_studies(tmp_path):
    file, bench = tmp_path / "thing.db", Bench()
    for version, data, values in [("1", "x", [1]), ("1", "y", [1]), ("2", "x", [1]), ("1", "x", [2]), ("1", "x", [1])]:
        studies = Studies(file, version=version, clock=clock_of())
        studies.tune("thing", {"a": values}, {"a": 0}, bench, fingerprint=data, deadline=1e9)
    assert len(bench.asked) == 4 * 2


KILLED = """
import os, signal, sys
from pathlib import Path
from tests.training.pipelines.test_tuning import Bench, tune
from training.pipelines.tuning import Studies

bench = Bench()

def judge(settings):
    for part, score in enumerate(bench(settings)):
        if len(bench.asked) == 4 and part == 20:
            os.kill(os.getpid(), signal.SIGKILL)
        yield score

tune(judge, Studies(Path(sys.argv[1])))
"""


def test_a_killed_run_is_taken_up_again(tmp_path, request):
    file, bench = tmp_path / "thing.db", Bench()
    dead = subprocess.run(
        [sys.executable, "-c", KILLED, str(file)], cwd=request.config.rootpath, env=os.environ, check=False
    )
    assert dead.returncode == -signal.SIGKILL
    tuned = tune(bench, Studies(file, clock=clock_of()))
    assert len(bench.asked) == 12 - 3
    assert len(tuned.marks) == 12


def test_a_broken_database_is_named(tmp_path):
    file = tmp_path / "thing.db"
    file.write_text("no database, only words" * 100)
    with pytest.raises(MallardError, match=r"thing\.db cannot be opened"):
        Studies(file)


def test_it_says_nothing_by_itself(caplog, capfd):
    with caplog.at_level(logging.INFO):
        tune(Bench(lambda s: 0.01 * s["a"]))
    assert capfd.readouterr() == ("", "")


def test_a_fingerprint_follows_the_content():
    log = random_log(users=20)
    assert fingerprint_of(log, True) == fingerprint_of(random_log(users=20), True)
    changed = log.where(np.arange(len(log)) > 0)
    assert len({fingerprint_of(log, True), fingerprint_of(log, False), fingerprint_of(changed, True)}) == 3


def test_a_configuration_may_name_ranges_and_their_ends_are_checked():
    text = "sources: {{repeat: {{search: {{half_life: {{low: {}, high: 365, log: true}}}}}}}}"
    config = parse_config(RecommendConfig, text.format(7), "recommend.yaml")
    assert config.settings("repeat").search == {"half_life": Range(low=7, high=365, log=True)}
    with pytest.raises(ConfigError, match="from above zero on a logarithmic scale"):
        parse_config(RecommendConfig, text.format(-7), "recommend.yaml")
    with pytest.raises(ConfigError, match="repeat: propensity: Input should be greater than or equal to 0"):
        parse_config(RecommendConfig, "sources: {repeat: {search: {propensity: {low: -1, high: 1}}}}", "recommend.yaml")


def test_settings_of_sources_are_searched_on_a_fold_and_known_the_next_time(tmp_path):
    log = random_log(users=150, events=30)
    split = TemporalSplit(repeats=True, cutoff=START + 100 * SECONDS_PER_DAY, horizon=14 * SECONDS_PER_DAY)
    fold = split.inner(split.outer(log).train, 2)[1]
    config = RecommendConfig(
        sources={
            "repeat": SourceSettings(config={"prior": 5.0}, search={"half_life": [10, 300], "propensity": [0]}),
            "trending": SourceSettings(config={"half_life": 3.0}),
        }
    )

    def search(seconds):
        ended = []
        studies = Studies(tmp_path / "recommend.db", on_trial=ended.append)
        names = ["repeat", "trending"]
        return *search_settings(names, fold, config, exclude_seen=False, seconds=seconds, studies=studies), ended

    chosen, tried, ended = search(1e9)
    assert chosen["trending"] == {"half_life": 3.0}
    assert chosen["repeat"]["prior"] == 5.0
    assert set(tried) == {"repeat"}
    assert set(tried["repeat"]) == {
        *("default", "half_life=10", "half_life=300", "propensity=0"),
        *("half_life=10, propensity=0", "half_life=300, propensity=0"),
    }
    assert len(ended) == 6
    assert search(0) == (chosen, tried, [])
