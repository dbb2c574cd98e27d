"""Churn lists for marketing systems."""

import hashlib
import uuid
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Response
from fastapi.responses import StreamingResponse

from features.contracts.errors import InputError, UnknownNameError
from serving.api.answers import json_answer
from serving.api.deps import Served
from serving.api.fields import Amount, Word
from serving.api.keys import needs
from serving.api.problems import ProblemError, documented, wrong_field
from serving.api.schemas.risk import ChurnListOut
from serving.api.services import Services
from serving.api.table_formats import TableFormat, accepted_format, rows_of, written
from serving.engine.permissions import fingerprint
from serving.marketing import JSON_COLUMNS, Cursor, ListFilter, Page, SnapshotInfo, suppress
from serving.store import Scope

router = APIRouter(prefix="/v1/churn", tags=["marketing"], dependencies=[needs(Scope.MARKETING)])

_JSON_PAGE = 100
_EMPTY: dict[str, Any] = {}
_FILES = {media.value: _EMPTY for media in TableFormat if media is not TableFormat.JSON}


@dataclass(frozen=True)
class _Wanted:
    """A list request, resolved: which snapshots, which rows, which form."""

    filter: ListFilter
    cursor: Cursor
    limit: int | None
    form: TableFormat
    refused: str  # names the set of users who switched marketing off since
    erased: tuple[tuple[int, ...], ...]  # rows of users who were erased from the snapshots

    @property
    def etag(self) -> str:
        """What was asked for, who switched marketing off and who was erased name the answer: nothing else changes."""
        return f'"{hashlib.sha256(repr(self).encode()).hexdigest()[:32]}"'


@router.get(
    "/list",
    summary="Users by churn risk",
    response_model=ChurnListOut,
    responses={
        200: {"content": _FILES, "description": "The list, in the form that Accept asks for"},
        304: {"description": "Still the answer that If-None-Match names"},
        **documented(401, 403, 404, 406, 422, 503),
    },
)
def churn_list(
    *,
    served: Served,
    tier: Annotated[Word | None, Query(description="red, yellow or blue")] = None,
    segment: Annotated[Word | None, Query(description="Lifecycle stage: new, active, silent, lost")] = None,
    min_value: Annotated[Amount | None, Query(description="Least value at risk, in the mall's currency")] = None,
    action: Annotated[Word | None, Query(description="offer, remind, call or leave_alone")] = None,
    cursor: Annotated[str | None, Query(max_length=512, description="From the page before")] = None,
    limit: Annotated[
        int | None, Query(ge=1, le=1_000_000, description="Rows of a page. JSON: 100 unless said; files: all")
    ] = None,
    snapshot: Annotated[Word | None, Query(description="A snapshot id; absent: the newest")] = None,
    since: Annotated[Word | None, Query(description="An older snapshot id: only what changed since it")] = None,
    accept: Annotated[str | None, Header(max_length=256)] = None,
    if_none_match: Annotated[str | None, Header(max_length=1024)] = None,
) -> Response:
    """Users with their churn probability, the most likely to leave first, from one immutable snapshot.

    JSON comes in pages; NDJSON, CSV and Parquet as whole files unless `limit` is given (then the header
    `X-Next-Cursor` leads on). Rows say who is in the hold-out and who must not be contacted and why: filter by
    `holdout` and `suppressed` before sending anything. A user who switches marketing off is suppressed in the next
    page already, of whichever snapshot. With `since`, rows are what was added, changed or removed.
    """
    form = accepted_format(accept)
    if form is None:
        offered = ", ".join(TableFormat)
        raise ProblemError(HTTPStatus.NOT_ACCEPTABLE, f"Accept: the list can be had as {offered}")
    start = _start(served, cursor, snapshot, since)
    longest = served.settings.config.limits.page
    if form is TableFormat.JSON and limit is not None and limit > longest:
        raise wrong_field("limit", f"at most {longest} rows of JSON at a time; the file formats have no limit")
    rows = limit or (_JSON_PAGE if form is TableFormat.JSON else None)
    refused = served.permissions.without_marketing()
    info, erased = _opened(served, start)
    wanted = _Wanted(ListFilter(tier, segment, min_value, action), start, rows, form, fingerprint(refused), erased)
    headers = {"ETag": wanted.etag, "Cache-Control": "private, no-cache", "Vary": "Accept"}
    if if_none_match is not None and _names(if_none_match, wanted.etag):
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
    page = served.lists.page(wanted.filter, start, rows)
    return _answer(info, wanted, replace(page, rows=suppress(page.rows, refused)), headers)


def _start(served: Services, cursor: str | None, snapshot: str | None, since: str | None) -> Cursor:
    """Where the page starts. A cursor knows its snapshots; naming others beside it is a contradiction."""
    if cursor is None:
        return Cursor(served.lists.snapshot(snapshot).info.id, since, 0)
    try:
        start = Cursor.decode(cursor)
    except InputError as error:
        raise wrong_field("cursor", str(error).removeprefix("cursor: ")) from error
    for name, given, held in (("snapshot", snapshot, start.snapshot), ("since", since, start.since)):
        if given is not None and given != held:
            raise wrong_field(name, f"the cursor belongs to {held or 'a list without ' + name}; leave {name} out")
    return start


def _opened(served: Services, start: Cursor) -> tuple[SnapshotInfo, tuple[tuple[int, ...], ...]]:
    """What the snapshot says of itself, and the rows of erased users in it and in the older one."""
    erased = []
    if start.since is not None:
        try:
            erased.append(served.lists.snapshot(start.since).gone)
        except UnknownNameError as error:
            raise ProblemError(HTTPStatus.NOT_FOUND, f"since: {error}") from error
    snapshot = served.lists.snapshot(start.snapshot)
    return snapshot.info, (snapshot.gone, *erased)


def _answer(info: SnapshotInfo, wanted: _Wanted, page: Page, headers: dict[str, str]) -> Response:
    following = page.next.encode() if page.next else None
    headers = {**headers, "X-Snapshot": info.id, "X-Total": str(page.total)}
    if following:
        headers["X-Next-Cursor"] = following
    if wanted.form is not TableFormat.JSON:
        pieces = written(page.rows, wanted.form, JSON_COLUMNS)
        return StreamingResponse(pieces, media_type=wanted.form.value, headers=headers)
    return json_answer(
        {
            "request_id": uuid.uuid4().hex,
            "model_version": info.model_version,
            "snapshot": info.id,
            "since": wanted.cursor.since,
            "as_of": info.as_of,
            "horizon_days": info.horizon_days,
            "missing_models": info.missing,
            "fallback": info.fallback or None,
            "total": page.total,
            "cursor": following,
            "items": rows_of(page.rows, JSON_COLUMNS),
        },
        headers=headers,
    )


def _names(header: str, etag: str) -> bool:
    tags = [tag.strip().removeprefix("W/") for tag in header.split(",")]
    return etag in tags or "*" in tags
