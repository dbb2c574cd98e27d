"""The erasure of a person: asked for, in force at once, then out of every file, verified and signed.

The order is what makes it safe to be cut off anywhere: the job is on disk before anything else happens, because the
links that say who he is are among what goes; his ids are refused before anything is removed, so that nothing comes
back meanwhile; the ids in the job go last. Whatever step was under way is taken again.
"""

from datetime import UTC, datetime
from itertools import chain

from features.contracts import columns as c
from features.contracts.errors import InputError, MallardError, UnknownNameError
from features.contracts.home import Home
from features.contracts.knowledge import ANONYMOUS, USER
from features.contracts.progress import step
from features.lake import Lake
from features.lake.erasure import LakeErasure
from features.lake.person import person_of
from serving.erasure.jobs import Job, Jobs, Removal, name_of
from serving.erasure.models import kept_models
from serving.erasure.places import Place, StorePlace, places_of
from serving.erasure.receipt import Receipt, Removed, Verified, statement
from serving.marketing.erasure import SnapshotErasure
from serving.store import OnlineStore

#: A position after every event that waits.
_ALL = 2**62


def ask_to_erase(home: Home, store: OnlineStore, user_id: str, *, now: datetime) -> Job:
    """Note the erasure of the person behind ``user_id``, and put it in force.

    When this returns, nothing about him is given out or taken in any more, and the online store has forgotten him;
    :func:`erase` takes him out of the files. Asking again while that is under way gives the same job.
    """
    lake, jobs = Lake(home), Jobs(home)
    with jobs.asking():
        last = jobs.last_of(lake.tombstones.hash(USER, user_id))
        job = jobs.job(last) if last is not None else None
        if job is not None:
            _hide(home, job, now)  # whoever works on it does the rest, and notes what was found
            return job
        job = Job(id=name_of(now), asked_at=now, person=person_of(lake, user_id, store.devices_of))
        jobs.open(job, job.hashes(lake.tombstones))
        return _put_in_force(home, store, job, now)


def erase(home: Home, store: OnlineStore, erasure: str) -> Receipt:
    """Take the person of a job out of every place, search all of them again, and sign the receipt.

    Raises :class:`MallardError` when the search finds him; the job stays, and may be taken again.
    """
    lake, jobs = Lake(home), Jobs(home)
    with jobs.alone():
        with jobs.asking():
            pass  # the call that asked for it may be putting it in force
        job, receipt = jobs.job(erasure), jobs.receipt(erasure)
        if job is None or receipt is not None:
            if receipt is None:
                raise UnknownNameError(f"there is no erasure '{erasure}'")
            if job is not None:
                jobs.close(job, receipt)
            return receipt
        job = _put_in_force(home, store, job, datetime.now(UTC))
        if job.traces is None:
            job = _kept(jobs, job.model_copy(update={"traces": LakeErasure(home).traces(job.person)}))
        places = places_of(home, store)
        with step("removing a person from every place", total=len(places), unit="places") as task:
            for place in places:
                job = _remove(jobs, place, job)
                task.advance(1)
        receipt = _receipt(home, job, job.hashes(lake.tombstones), _verified(places, job))
        receipt = receipt.signed(lake.identity_key)
        jobs.close(job, receipt)
        return receipt


def lift(home: Home, user_id: str) -> int:
    """Admit the ids of the person behind ``user_id`` again; how many were refused. What was erased stays gone.

    Raises :class:`UnknownNameError` for who is not erased, :class:`InputError` while his erasure is under way, or while
    a deployed model holds what he did before: that would come back with him.
    """
    lake, jobs = Lake(home), Jobs(home)
    with jobs.alone(), jobs.asking():
        hashed = lake.tombstones.hash(USER, user_id)
        if hashed not in lake.tombstones.hashes():
            raise UnknownNameError(f"the user '{user_id}' is not erased")
        last = jobs.last_of(hashed)
        if last is not None and jobs.job(last) is not None:
            raise InputError(f"the erasure {last} of the user is under way; lift it when it is done")
        holding = [model.version for model in kept_models(home, [user_id]) if model.where == "deployed"]
        if holding:
            raise InputError(
                f"{', '.join(holding)} below {home.bundles} still hold what the user did before; it would count again. "
                "Train and deploy anew and remove the old versions, then lift the erasure"
            )
        # He may have been erased more than once; the links between his ids went with the first time.
        known = [receipt.ids for receipt in jobs.receipts() if hashed in receipt.ids]
        return lake.tombstones.lift_hashed({hashed, *chain.from_iterable(known)})


def _put_in_force(home: Home, store: OnlineStore, job: Job, now: datetime) -> Job:
    """Refuse his ids, hide him from every reader, and forget him in the online store."""
    jobs, person = Jobs(home), job.person
    _hide(home, job, now)
    waiting = [event.row for event in store.queued_of(person.users, _ALL)]
    named = {str(row[c.REQUEST_ID]) for row in waiting if row.get(c.REQUEST_ID)}
    if not named <= set(job.requests):
        job = _kept(jobs, job.model_copy(update={"requests": tuple(sorted(named.union(job.requests)))}))
    return _remove(jobs, StorePlace(store), job)


def _hide(home: Home, job: Job, now: datetime) -> None:
    """Refuse his ids, and hide him from every reader."""
    tombstones = Lake(home).tombstones
    tombstones.add(USER, job.person.users, now=now)
    tombstones.add(ANONYMOUS, job.person.visitors, now=now)
    SnapshotErasure(home).mask(job.person.users)


def _remove(jobs: Jobs, place: Place, job: Job) -> Job:
    """One step. What is found is noted before it goes: a step that is taken again finds less."""
    before = job.removals.get(place.name)
    if before is None:
        before = Removal(found=place.count(job))
        job = _with(jobs, job, place, before)
    now = datetime.now(UTC)
    place.purge(job, now)
    if before.removed_at is None:
        job = _with(jobs, job, place, before.model_copy(update={"removed_at": datetime.now(UTC)}))
    return job


def _with(jobs: Jobs, job: Job, place: Place, removal: Removal) -> Job:
    return _kept(jobs, job.model_copy(update={"removals": {**job.removals, place.name: removal}}))


def _kept(jobs: Jobs, job: Job) -> Job:
    jobs.keep(job)
    return job


def _verified(places: tuple[Place, ...], job: Job) -> tuple[Verified, ...]:
    told = []
    for place in places:
        found = place.count(job)
        left = {what: count for what, count in found.items() if count}
        if left:
            raise MallardError(
                f"erasure {job.id}: {', '.join(f'{count} records in {what}' for what, count in left.items())} name the "
                "person after all was removed; it stays open, take it again: mallard erase --pending"
            )
        told.append(Verified(place=place.name, found=found, searched_at=datetime.now(UTC)))
    return tuple(told)


def _receipt(home: Home, job: Job, ids: list[str], verified: tuple[Verified, ...]) -> Receipt:
    removed = tuple(
        Removed(place=name, found=removal.found, removed_at=removal.removed_at or job.asked_at)
        for name, removal in job.removals.items()
    )
    kept = kept_models(home, (*job.person.users, *job.person.visitors))
    records = sum(count for removal in removed for count in removal.found.values())
    return Receipt(
        erasure=job.id,
        ids=tuple(ids),
        asked_at=job.asked_at,
        finished_at=datetime.now(UTC),
        removed=removed,
        snapshots=SnapshotErasure(home).files(job.removals["snapshots"].found),
        verified=verified,
        kept=kept,
        statement=statement(records, len(verified), len(kept)),
    )
