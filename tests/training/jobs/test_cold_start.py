from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa

from features.contracts.ids import IdMap
from features.contracts.knowledge import ALIAS_SCHEMA
from training.jobs.cold_start import merged_at_login

NOW = datetime(2026, 1, 15, tzinfo=UTC)
DAY = timedelta(days=1)


def test_only_merges_that_counted_at_the_moment_make_a_merged_visitor() -> None:
    rows = [
        ("anonymous", "a1", "always", None, None),
        ("anonymous", "a2", "before", NOW - DAY, NOW + DAY),
        ("anonymous", "a3", "later", NOW + DAY, None),
        ("anonymous", "a4", "ended", NOW - DAY, NOW),
        ("anonymous", "a5", None, None, None),
        ("anonymous", "a6", "unheard-of", None, None),
        ("user", "u1", "second-account", None, None),
    ]
    columns = [*zip(*rows, strict=True), [None] * len(rows), [None] * len(rows)]
    aliases = pa.table([pa.array(v, f.type) for v, f in zip(columns, ALIAS_SCHEMA, strict=True)], schema=ALIAS_SCHEMA)
    users = IdMap.of(["always", "before", "ended", "later", "plain", "second-account"])
    asked = np.append(users.indices(["always", "before", "ended", "later", "plain", "second-account"]), -1)
    found = merged_at_login(aliases, users, asked.astype(np.int32), NOW)
    assert found.tolist() == [True, True, False, False, False, False, False]
    assert not merged_at_login(ALIAS_SCHEMA.empty_table(), users, asked.astype(np.int32), NOW).any()
