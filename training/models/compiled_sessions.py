"""The inner loops of :mod:`training.models.sessions`, compiled by numba."""

from typing import Any

import numpy as np
import numpy.typing as npt

from training.interactions import Float32, Int32, Int64
from training.models.compiled_best import space_for
from training.models.compiled_sums import WORK, take_best
from training.models.compiling import F4, F8, I4, I8, N, compiled

Float64 = npt.NDArray[np.float64]


@compiled()
def _settle(heap: npt.NDArray[Any], top: int, size: int) -> None:
    """Let the number at ``top`` sink to where it belongs in a heap with the smallest on top."""
    number = heap[top]
    while 2 * top + 1 < size:
        child = 2 * top + 1
        if child + 1 < size and heap[child + 1] < heap[child]:
            child += 1
        if number <= heap[child]:
            break
        heap[top] = heap[child]
        top = child
    heap[top] = number


@compiled()
def _push(queue: Int64, size: int, key: int) -> None:
    """Into a heap of numbers, the smallest on top."""
    child = size
    while child > 0 and key < queue[(child - 1) // 2]:
        queue[child] = queue[(child - 1) // 2]
        child = (child - 1) // 2
    queue[child] = key


@compiled((I8, I4, F8, I8, I4, I4, N))
def newest_sessions(
    starts: Int64, asked: Int32, weight: Float64, item_starts: Int64, session: Int32, item_place: Int32, recent: int
) -> tuple[Int64, Int32, Float64, Int32]:
    """For every row the ``recent`` newest sessions that have an asked item, newest first.

    The sessions of an item ascend from the newest, so a merge of the lists meets them in order. Gives where each row
    begins, the sessions, the sums of the weights that they share, and the place in each of the first item asked for.
    """
    rows = len(starts) - 1
    widest = np.diff(starts).max() if rows else 0
    room = 0
    for item in asked:
        room += item_starts[item + 1] - item_starts[item]
    room = min(room, rows * recent)
    ends, sessions = np.zeros(rows + 1, np.int64), np.empty(room, np.int32)
    sums, anchors = np.empty(room, np.float64), np.empty(room, np.int32)
    at, queue, end = np.empty(widest, np.int64), np.empty(widest, np.int64), 0
    for row in range(rows):
        begin, low, lists, waiting = end, starts[row], starts[row + 1] - starts[row], 0
        for each in range(lists):
            at[each] = item_starts[asked[low + each]]
            if at[each] < item_starts[asked[low + each] + 1]:
                # Of equal sessions the one of the earlier list comes first.
                _push(queue, waiting, session[at[each]] * lists + each)
                waiting += 1
        while waiting > 0:
            number, each = queue[0] // lists, queue[0] % lists
            if end == begin or sessions[end - 1] != number:
                if end - begin == recent:
                    break
                sessions[end], sums[end], anchors[end] = number, 0.0, item_place[at[each]]
                end += 1
            sums[end - 1] += weight[low + each]
            at[each] += 1
            if at[each] < item_starts[asked[low + each] + 1]:
                queue[0] = session[at[each]] * lists + each
            else:
                waiting -= 1
                queue[0] = queue[waiting]
            if waiting > 0:
                _settle(queue, 0, waiting)
        ends[row + 1] = end
    return ends, sessions[:end].copy(), sums[:end].copy(), anchors[:end].copy()


@compiled((I4, F8, I4, I8, I4, F4, F8, N))
def votes(
    session: Int32,
    similarity: Float64,
    anchor: Int32,
    starts: Int64,
    place: Int32,
    weight: Float32,
    near: Float64,
    farthest: int,
) -> tuple[Int64, Int64, Float64]:
    """For every item of each of the sessions: which of these it is, the position in the index, and the vote.

    ``near`` says what a vote counts by the moments from the ``anchor`` to the item, -``farthest`` first.
    """
    room = 0
    for each in session:
        room += starts[each + 1] - starts[each]
    voter, position, vote, end = np.empty(room, np.int64), np.empty(room, np.int64), np.empty(room), 0
    for each in range(len(session)):
        for entry in range(starts[session[each]], starts[session[each] + 1]):
            voter[end], position[end] = each, entry
            vote[end] = similarity[each] * weight[entry] * near[place[entry] - anchor[each] + farthest]
            end += 1
    return voter, position, vote


@compiled((I8, I4, F8, I4, I8, I4, I4, F4, F8, N, I8, I4, WORK, N))
def best_votes(
    ends: Int64,
    session: Int32,
    similarity: Float64,
    anchor: Int32,
    starts: Int64,
    item: Int32,
    place: Int32,
    weight: Float32,
    near: Float64,
    farthest: int,
    seen_starts: Int64,
    seen: Int32,
    total: Float64,
    n: int,
) -> tuple[Int64, Int32, Float64]:
    """The ``n`` items of every row that have most votes (see :func:`votes`): where each begins, the items, the votes.

    What was ``seen`` takes no part; it may have no rows.
    """
    rows, widest = len(ends) - 1, 0
    for row in range(rows):
        count = 0
        for each in session[ends[row] : ends[row + 1]]:
            count += starts[each + 1] - starts[each]
        widest = max(widest, count)
    n = min(n, widest)
    begins, items, sums, end = np.zeros(rows + 1, np.int64), np.empty(rows * n, np.int32), np.empty(rows * n), 0
    met, values, places = np.empty(widest + 1, np.int32), np.empty(widest + 1), np.empty(n, np.int64)
    space = space_for(total, widest, n)
    for row in range(rows):
        count = 0
        for each in range(ends[row], ends[row + 1]):
            moment = farthest - anchor[each]
            for entry in range(starts[session[each]], starts[session[each] + 1]):
                vote = similarity[each] * weight[entry] * near[place[entry] + moment]
                met[count] = item[entry]
                count += (vote > 0) & (total[item[entry]] == 0)
                total[item[entry]] += max(vote, 0.0)
        if len(seen_starts) > 1:
            for event in range(seen_starts[row], seen_starts[row + 1]):
                total[seen[event]] = 0
        end += take_best(met, count, total, n, space, places, values, items[end:], sums[end:])
        begins[row + 1] = end
    return begins, items[:end], sums[:end]
