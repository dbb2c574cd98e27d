"""The recommendation engine of one worker: the live model, the store beside it, and what to do when one is missing."""

import logging
import time
import uuid
from collections.abc import Callable, Collection, Sequence
from pathlib import Path

import numpy as np

from features.contracts.errors import MissingStateError, StoreUnavailableError, UnknownNameError
from features.contracts.events import EventType
from features.contracts.home import Home
from features.contracts.ids import UNKNOWN
from serving.engine.answering import Answer, given_answer, near_answer, personal_answer, trending_answer
from serving.engine.asking import Ask, Degraded, ItemList, Recommendation, RequestedFilters
from serving.engine.config import EngineConfig
from serving.engine.identities import KnownAs
from serving.engine.live_facts import Refusals
from serving.engine.live_model import LiveModel
from serving.engine.placements import Placement
from serving.engine.question import Question, Visit, prepare
from serving.engine.served import ServedLog
from serving.engine.watching import Watched
from serving.store.protocol import RECENT_LIMIT, OnlineStore, RecentEvent, Visitor
from training.deployment import live, pointer
from training.models.recommender import Intent

_LOG = logging.getLogger(__name__)
_IMPRESSION = EventType.IMPRESSION.code


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
        clock: Callable[[], float] = time.time,
        new_id: Callable[[], str] = lambda: uuid.uuid4().hex,
    ) -> None:
        """``refused`` gives the users of the lake who switched personalisation off; it is read at every load.

        ``known_as`` says which users are one; without it every id is a user of his own. ``new_id`` names answers.
        """
        self._home, self._store, self._placements, self._config = home, store, placements, config
        self._refused, self._clock, self._known_as, self._new_id = refused, clock, known_as, new_id
        self._served = ServedLog(home.online / "served", config.served_days)
        self._pointer = Watched(pointer(home))
        self._live: LiveModel | None = None
        self._refusals = Refusals()
        # Lists that belong to no placement: a given one to rank, and items that are near one or popular.
        self._given = Placement(rules=())
        self._listing = Placement.model_validate({"rules": [{"rule": "availability"}]})

    @property
    def model_version(self) -> str | None:
        """The version that answers carry; None when nothing is loaded."""
        current = self._live
        return current.version if current else None

    def canonical(self, user_id: str) -> str:
        """The user that ``user_id`` counts for: itself unless it was merged into another."""
        return self._members(user_id)[0]

    def refresh(self) -> None:
        """Load what was deployed or merged since the last look. What is refused is logged, and the old stays."""
        try:
            if self._known_as is not None:
                self._known_as.refresh()
        except Exception:
            # A lake that cannot be read must not stop the answers: users stay who they were.
            _LOG.exception("the lake's log of links cannot be read; merges since the last look are not known")
        if not self._pointer.changed():
            return
        try:
            path = live(self._home, "recommend")
            if path is not None and (self._live is None or self._live.path != path):
                self._load(path)
        except Exception:
            # Whatever a damaged bundle provokes, the worker goes on with what it has.
            _LOG.exception("the deployed recommendation bundle is refused, %s stays live", self.model_version)

    def _load(self, path: Path) -> None:
        model = LiveModel.load(path)
        refusals = Refusals(self._refused())
        self._live, self._refusals = model, refusals
        _LOG.info("recommendation bundle %s is live", model.version)

    # --- questions ----------------------------------------------------------------------------------------
    def recommend(self, ask: Ask) -> Recommendation:
        """Ranked items for one visitor at one placement.

        Never fails because a model or the store is missing: ``degraded`` of the answer says what it was made without.
        Raises :class:`UnknownNameError` for a placement that does not exist.
        """
        name = ask.placement or self._config.default_placement
        placement = self.placement(name)
        request_id = self._new_id()
        model = self._live
        if model is None:
            return Recommendation(
                request_id=request_id,
                model_version=None,
                user_id=ask.visitor.user_id if ask.visitor else None,
                placement=name,
                known=False,
                personalized=False,
                degraded=(Degraded.NO_MODEL,),
                items=(),
            )
        visit, question, late = self._question(ask, model, placement, request_id)
        degraded = [*late, *visit.degraded]
        try:
            answer = personal_answer(model, question, placement, explain=ask.explain)
        except Exception:
            # Whatever breaks in a model must not leave the mall's page empty; the log and the answer both say so.
            _LOG.exception("ranking failed for %s; trending items instead", ask)
            answer = trending_answer(model, question, placement)
            degraded.append(Degraded.RANKING)
        recommendation = Recommendation(
            request_id=request_id,
            model_version=model.version,
            user_id=visit.user_id,
            placement=name,
            known=question.known,
            personalized=visit.personal and len(question.history.item) > 0 and Degraded.RANKING not in degraded,
            degraded=tuple(degraded),
            items=answer.items,
            unknown_items=question.unknown_items,
            dropped=answer.dropped,
        )
        if placement.explores:
            self._served.write(recommendation, placement.target, question.context.now)
        return recommendation

    def rank(self, visitor: Visitor | None, item_ids: tuple[str, ...]) -> Recommendation:
        """The given items in the order that suits the visitor best; unknown ones are reported, not ranked."""
        model = self._live
        if model is None:
            raise MissingStateError("no recommendation model is deployed, so nothing can be ranked")
        request_id = self._new_id()
        visit, question, late = self._question(Ask(visitor, n=len(item_ids)), model, self._given, request_id)
        given = model.past.items.indices(list(item_ids))
        answer = given_answer(model, question, np.unique(given[given != UNKNOWN]))
        return Recommendation(
            request_id=request_id,
            model_version=model.version,
            user_id=visit.user_id,
            placement="rank",
            known=question.known,
            personalized=visit.personal and len(question.history.item) > 0,
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

    def placement(self, name: str) -> Placement:
        """The placement called ``name``; raises :class:`UnknownNameError` that lists the known ones."""
        try:
            return self._placements[name]
        except KeyError:
            known = ", ".join(sorted(self._placements))
            raise UnknownNameError(f"there is no placement '{name}'; the placements are {known}") from None

    # --- parts --------------------------------------------------------------------------------------------
    def _item_list(self, ask: Ask, item_id: str | None, intent: Intent) -> ItemList:
        request_id = self._new_id()
        model = self._live
        if model is None:
            return ItemList(request_id, None, known=False, degraded=(Degraded.NO_MODEL,), items=())
        visit, question, late = self._question(ask, model, self._listing, request_id)
        item = UNKNOWN if item_id is None else model.past.items.index(item_id)
        answer = Answer(())
        if item != UNKNOWN:
            answer = near_answer(model, question, self._listing, item, intent)
        if not answer.items:
            answer = trending_answer(model, question, self._listing)
        known = item_id is None or item != UNKNOWN
        return ItemList(request_id, model.version, known, (*late, *visit.degraded), answer.items)

    def _question(
        self, ask: Ask, model: LiveModel, placement: Placement, request_id: str
    ) -> tuple[Visit, Question, tuple[Degraded, ...]]:
        now = int(self._clock()) if ask.as_of is None else ask.as_of
        as_of = model.moment(now, self._config.stale_after_days)
        visit = self._visit(ask.visitor, model)
        late = () if as_of == now else (Degraded.STALE_MODEL,)
        return visit, prepare(ask, visit, model, placement, as_of=as_of, now=now, request_id=request_id), late

    def _visit(self, visitor: Visitor | None, model: LiveModel) -> Visit:
        """What is known of the visitor now; without the store, what was known before it went away."""
        user_id = visitor.user_id if visitor else None
        try:
            model.facts.follow(self._store)
            self._refusals.follow(self._store)
            if visitor is None:
                return Visit(None)
            if visitor.anonymous_id is not None:
                user_id = self._store.user_of(visitor.anonymous_id)
            members = () if user_id is None else self._members(user_id)
            user_id = members[0] if members else None
            if any(member in self._refusals for member in members):
                return Visit(user_id, personal=False)
            events = self._recent(visitor, members)
            recent, shown = self._sorted_out(events)
            return Visit(user_id, recent, shown, members=members)
        except StoreUnavailableError as error:
            _LOG.warning("answering without real-time state: %s", error)
            members = () if user_id is None else self._members(user_id)
            personal = not any(member in self._refusals for member in members)
            known = members[0] if members else None
            return Visit(known, personal=personal, degraded=(Degraded.REALTIME_STATE,), members=members)

    def _members(self, user_id: str) -> tuple[str, ...]:
        return (user_id,) if self._known_as is None else self._known_as.members(user_id)

    def _recent(self, visitor: Visitor, members: tuple[str, ...]) -> list[RecentEvent]:
        """The latest events, oldest first; of a merged user those under all his ids."""
        if len(members) < 2:
            return self._store.recent(visitor, RECENT_LIMIT)
        found = [event for member in members for event in self._store.recent(Visitor(user_id=member), RECENT_LIMIT)]
        return sorted(found, key=lambda event: event.time)

    def _sorted_out(self, events: Sequence[RecentEvent]) -> tuple[list[RecentEvent], list[RecentEvent]]:
        """What the visitor did, at most the configured number, and what he was merely shown."""
        did = [event for event in events if event.kind != _IMPRESSION]
        shown = [event for event in events if event.kind == _IMPRESSION]
        return did[max(len(did) - self._config.recent_events, 0) :], shown
