"""The recommendation engine of one worker: the versions that answer, the store beside them, and what to do when one is
missing."""

import logging
import math
import time
import uuid
from collections import deque
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace

import numpy as np

from features.contracts.errors import MissingStateError, UnknownNameError
from features.contracts.home import Home
from features.contracts.ids import UNKNOWN
from features.lake.tombstones import Tombstones
from serving.engine.answering import Answer, Asked, given_answer, near_answer, personal_answers, trending_answer
from serving.engine.asking import Ask, Degraded, ItemList, Recommendation, RequestedFilters
from serving.engine.config import EngineConfig
from serving.engine.identities import KnownAs
from serving.engine.live_model import LiveModel
from serving.engine.observing import Observer, Unwatched, stage
from serving.engine.placements import Placement
from serving.engine.question import Inquiry, Question, Visit, prepare
from serving.engine.rollout import Mode
from serving.engine.served import ServedLog
from serving.engine.versions import Loaded, Versions
from serving.engine.visiting import Visits
from serving.store.protocol import OnlineStore, Visitor
from training.models.recommender import Intent

_LOG = logging.getLogger(__name__)
#: Questions that wait for a version that is asked beside the live one; when more come, the oldest are forgotten.
_SHADOW_WAITING = 64
#: Failures of the model itself: what a trial answers for.
_BROKEN = {Degraded.RANKING, Degraded.RANKER}


@dataclass(frozen=True)
class _Called:
    """A question, and who answers it for whom."""

    ask: Ask
    model: LiveModel
    name: str  # of the placement
    visit: Visit
    late: bool
    request_id: str


@dataclass(frozen=True)
class _Posed:
    """A question on its way to an answer."""

    called: _Called
    asked: Asked
    degraded: tuple[Degraded, ...]


class RecommendEngine:
    """Answers questions for recommendations. Safe to share between threads."""

    def __init__(
        self,
        home: Home,
        store: OnlineStore,
        placements: dict[str, Placement],
        config: EngineConfig,
        *,
        refused: Callable[[], Collection[str]] = tuple,
        known_as: KnownAs | None = None,
        erased: Tombstones | None = None,
        observer: Observer | None = None,
        clock: Callable[[], float] = time.time,
        new_id: Callable[[], str] = lambda: uuid.uuid4().hex,
    ) -> None:
        """``refused`` gives the users of the lake who switched personalisation off; it is read at every load.

        ``known_as`` says which users are one; without it every id is a user of his own. Who was ``erased`` is
        answered as nobody in particular. ``new_id`` names answers.
        """
        self._placements, self._config = placements, config
        self._observer, self._clock, self._new_id = observer or Unwatched(), clock, new_id
        self._served = ServedLog(home.online / "served", config.served_days)
        self._visits = Visits(store, config.recent_events, refused, known_as, erased)
        self._versions = Versions(home, config.guard, self._visits.reload)
        self._shadowed: deque[tuple[_Posed, tuple[str, ...]]] = deque(maxlen=_SHADOW_WAITING)
        # Lists that belong to no placement: a given one to rank, and items that are near one or popular.
        self._given = Placement(rules=())
        self._listing = Placement.model_validate({"rules": [{"rule": "availability"}]})

    @property
    def model_version(self) -> str | None:
        """The live version; None when nothing is loaded."""
        current = self._versions.current.live
        return current.version if current else None

    @property
    def trial_version(self) -> str | None:
        """The version that is tried beside the live one."""
        trial = self._versions.current.trial
        return trial.model.version if trial else None

    def canonical(self, user_id: str) -> str:
        """The user that ``user_id`` counts for: itself unless it was merged into another."""
        return self._visits.members(user_id)[0]

    def refresh(self) -> None:
        """Load what was deployed, tried or merged since the last look. What is refused is logged, and the old stays."""
        self._visits.refresh()
        self._versions.refresh()

    # --- questions ----------------------------------------------------------------------------------------
    def recommend(self, ask: Ask) -> Recommendation:
        """Ranked items for one visitor at one placement; see :meth:`recommend_many`."""
        return self.recommend_many([ask])[0]

    def recommend_many(
        self, asks: Sequence[Ask], *, late: Sequence[bool] = (), deadline: float = math.inf
    ) -> list[Recommendation]:
        """Ranked items for each question, in order: what each would be answered alone.

        Never fails because a model or the store is missing: ``degraded`` of the answer says what it was made without.
        Questions that are ``late`` get trending items at once; the blend ranks the others where ``deadline`` (of
        ``time.perf_counter``) passes before the ranker begins.
        Raises :class:`UnknownNameError` for a placement that does not exist.
        """
        loaded = self._versions.current
        if loaded.live is None:
            return [self._nothing(ask) for ask in asks]
        with stage(self._observer, "prepare", len(asks)):
            there = self._visits.follow(model.facts for model in loaded.models)
            hurried = late or [False] * len(asks)
            posed = self._prepared(
                [self._called(ask, loaded, there, hurry) for ask, hurry in zip(asks, hurried, strict=True)]
            )
        answers: dict[int, Recommendation] = {}
        for places in _alike(posed):
            batch = [posed[place] for place in places]
            answers |= zip(places, self._answered(batch, loaded, deadline), strict=True)
        return [answers[place] for place in range(len(asks))]

    @property
    def has_shadow_work(self) -> bool:
        """Whether questions wait for a version that is asked beside the live one."""
        return bool(self._shadowed)

    def shadow(self) -> None:
        """Ask the version that is tried in the shadow what was just answered, and compare; nobody waits for it."""
        waiting = [self._shadowed.popleft() for _ in range(len(self._shadowed))]
        trial = self._versions.current.trial
        if trial is None or trial.rollout.mode is not Mode.SHADOW:
            return
        posed = self._prepared(
            [replace(p.called, model=trial.model, late=False, request_id=self._new_id()) for p, _ in waiting]
        )
        for places in _alike(posed):
            start = time.perf_counter()
            answers, degraded = self._ranked([posed[place] for place in places], math.inf)
            failed = len(places) * any(why in _BROKEN for why in degraded)
            self._note(trial.model, self._versions.current, len(places), time.perf_counter() - start, failed)
            for place, answer in zip(places, answers, strict=True):
                shown = waiting[place][1]
                would = {item.item_id for item in answer.items}
                self._observer.shadowed(trial.model.version, len(would.intersection(shown)) / max(len(shown), 1))

    def rank(self, visitor: Visitor | None, item_ids: tuple[str, ...]) -> Recommendation:
        """The given items in the order that suits the visitor best; unknown ones are reported, not ranked."""
        model = self._versions.current.model_for(visitor)
        if model is None:
            raise MissingStateError("no recommendation model is deployed, so nothing can be ranked")
        request_id = self._new_id()
        visit = self._visit(visitor, model)
        question, late = self._question(Ask(visitor, n=len(item_ids)), visit, model, self._given, request_id)
        given = model.past.items.indices(list(item_ids))
        answer = given_answer(model, question, np.unique(given[given != UNKNOWN]))
        return Recommendation(
            request_id=request_id,
            model_version=model.version,
            user_id=visit.user_id,
            placement="rank",
            known=question.known,
            personalized=visit.personal and question.has_history,
            degraded=(*late, *visit.degraded),
            items=answer.items,
            unknown_items=tuple(i for i, index in zip(item_ids, given, strict=True) if index == UNKNOWN),
        )

    def similar(self, item_id: str, n: int, intent: Intent) -> ItemList:
        """Items like ``item_id``, or that go with it; trending ones with ``known`` false when it is unknown."""
        return self._item_list(Ask(n=n, item_ids=(item_id,)), item_id, intent)

    def trending(self, n: int, categories: tuple[str, ...] = ()) -> ItemList:
        """What many people take now, overall or inside categories."""
        return self._item_list(Ask(n=n, filters=RequestedFilters(categories=categories)), None, "similar")

    def placement_of(self, ask: Ask) -> Placement:
        """Where the answer will stand; raises :class:`UnknownNameError` when there is no such place."""
        return self.placement(ask.placement or self._config.default_placement)

    def placement(self, name: str) -> Placement:
        """The placement called ``name``; raises :class:`UnknownNameError` that lists the known ones."""
        try:
            return self._placements[name]
        except KeyError:
            known = ", ".join(sorted(self._placements))
            raise UnknownNameError(f"there is no placement '{name}'; the placements are {known}") from None

    # --- parts --------------------------------------------------------------------------------------------
    def _nothing(self, ask: Ask) -> Recommendation:
        self.placement_of(ask)
        return Recommendation(
            request_id=self._new_id(),
            model_version=None,
            user_id=ask.visitor.user_id if ask.visitor else None,
            placement=ask.placement or self._config.default_placement,
            known=False,
            personalized=False,
            degraded=(Degraded.NO_MODEL,),
            items=(),
        )

    def _called(self, ask: Ask, loaded: Loaded, store_there: bool, late: bool) -> _Called:
        model = loaded.model_for(ask.visitor)
        if model is None:
            raise MissingStateError("no recommendation model is deployed")
        if late:
            visit = self._visits.visit_without_store(ask.visitor, Degraded.DEADLINE)
        elif not store_there:
            visit = self._visits.visit_without_store(ask.visitor, Degraded.REALTIME_STATE)
        else:
            visit = self._visits.visit(ask.visitor)
        return _Called(ask, model, ask.placement or self._config.default_placement, visit, late, self._new_id())

    def _prepared(self, called: Sequence[_Called]) -> list[_Posed]:
        """The questions in their order, those to one model prepared together."""
        posed: dict[int, _Posed] = {}
        for model in {id(each.model): each.model for each in called}.values():
            places = [place for place, each in enumerate(called) if each.model is model]
            inquiries = [self._inquiry(called[place]) for place in places]
            for place, inquiry, question in zip(places, inquiries, prepare(model, inquiries), strict=True):
                each = called[place]
                asked = Asked(question, inquiry.placement, each.ask.explain)
                posed[place] = _Posed(each, asked, (*_stale(inquiry), *each.visit.degraded))
        return [posed[place] for place in range(len(called))]

    def _inquiry(self, called: _Called, placement: Placement | None = None) -> Inquiry:
        now = int(self._clock()) if called.ask.as_of is None else called.ask.as_of
        as_of = called.model.moment(now, self._config.stale_after_days)
        where = self.placement(called.name) if placement is None else placement
        return Inquiry(called.ask, called.visit, where, as_of, now, called.request_id)

    def _answered(self, batch: Sequence[_Posed], loaded: Loaded, deadline: float) -> list[Recommendation]:
        """Answers to questions that :func:`_alike` put together."""
        model = batch[0].called.model
        start = time.perf_counter()
        if batch[0].called.late:
            answers = [trending_answer(model, p.asked.question, p.asked.placement) for p in batch]
            degraded: tuple[Degraded, ...] = ()
        else:
            answers, degraded = self._ranked(batch, deadline)
            failed = len(batch) * any(why in _BROKEN for why in degraded)
            self._note(model, loaded, len(batch), time.perf_counter() - start, failed)
        made = [self._recommendation(p, answer, degraded) for p, answer in zip(batch, answers, strict=True)]
        self._remember_for_shadow(batch, made, loaded)
        return made

    def _ranked(self, batch: Sequence[_Posed], deadline: float) -> tuple[list[Answer], tuple[Degraded, ...]]:
        model = batch[0].called.model
        try:
            return personal_answers(model, [p.asked for p in batch], deadline=deadline, observer=self._observer)
        except Exception:
            # Whatever breaks in a model must not leave the mall's page empty; the log and the answer both say so.
            # Where, and by what: whose question it was stays out of the log.
            places = sorted({p.called.name for p in batch})
            _LOG.exception("ranking by %s failed at %s; trending items instead", model.version, ", ".join(places))
            answers = [trending_answer(model, p.asked.question, p.asked.placement) for p in batch]
            return answers, (Degraded.RANKING,)

    def _note(self, model: LiveModel, loaded: Loaded, questions: int, seconds: float, failed: int) -> None:
        self._observer.answered(model.version, questions, failed)
        if loaded.trial is not None:
            tried = model is loaded.trial.model
            loaded.trial.guard.note(trial=tried, questions=questions, seconds=seconds, failed=failed)

    def _recommendation(self, posed: _Posed, answer: Answer, degraded: tuple[Degraded, ...]) -> Recommendation:
        question, called = posed.asked.question, posed.called
        ranked = not called.late and Degraded.RANKING not in degraded
        made = Recommendation(
            request_id=question.context.request_id,
            model_version=called.model.version,
            user_id=called.visit.user_id,
            placement=called.name,
            known=question.known,
            personalized=called.visit.personal and question.has_history and ranked,
            degraded=(*posed.degraded, *degraded),
            items=answer.items,
            unknown_items=question.unknown_items,
            dropped=answer.dropped,
        )
        if posed.asked.placement.chain.explores:
            self._served.write(made, posed.asked.placement.target, question.context.now)
        return made

    def _remember_for_shadow(self, batch: Sequence[_Posed], made: Sequence[Recommendation], loaded: Loaded) -> None:
        trial = loaded.trial
        if trial is None or trial.rollout.mode is not Mode.SHADOW:
            return
        for posed, answer in zip(batch, made, strict=True):
            if not posed.called.late and trial.rollout.takes(answer.request_id):
                self._shadowed.append((posed, tuple(item.item_id for item in answer.items)))

    def _item_list(self, ask: Ask, item_id: str | None, intent: Intent) -> ItemList:
        request_id = self._new_id()
        model = self._versions.current.live
        if model is None:
            return ItemList(request_id, None, known=False, degraded=(Degraded.NO_MODEL,), items=())
        visit = self._visit(None, model)
        question, late = self._question(ask, visit, model, self._listing, request_id)
        item = UNKNOWN if item_id is None else model.past.items.index(item_id)
        answer = Answer(())
        if item != UNKNOWN:
            answer = near_answer(model, question, self._listing, item, intent)
        if not answer.items:
            answer = trending_answer(model, question, self._listing)
        known = item_id is None or item != UNKNOWN
        return ItemList(request_id, model.version, known, (*late, *visit.degraded), answer.items)

    def _visit(self, visitor: Visitor | None, model: LiveModel) -> Visit:
        if self._visits.follow([model.facts]):
            return self._visits.visit(visitor)
        return self._visits.visit_without_store(visitor, Degraded.REALTIME_STATE)

    def _question(
        self, ask: Ask, visit: Visit, model: LiveModel, placement: Placement, request_id: str
    ) -> tuple[Question, tuple[Degraded, ...]]:
        """A question that stands alone, at a placement that has no name."""
        inquiry = self._inquiry(_Called(ask, model, "", visit, late=False, request_id=request_id), placement)
        (question,) = prepare(model, [inquiry])
        return question, _stale(inquiry)


def _stale(inquiry: Inquiry) -> tuple[Degraded, ...]:
    return () if inquiry.as_of == inquiry.now else (Degraded.STALE_MODEL,)


def _alike(posed: Sequence[_Posed]) -> list[list[int]]:
    """Places of questions that can be answered together: one version, one policy about seen items, in time or late."""
    groups: dict[tuple[int, bool, bool], list[int]] = {}
    for place, each in enumerate(posed):
        key = id(each.called.model), each.asked.placement.exclude_seen, each.called.late
        groups.setdefault(key, []).append(place)
    return list(groups.values())
