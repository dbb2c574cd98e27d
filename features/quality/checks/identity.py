"""Every event belongs to somebody."""

from collections.abc import Iterator

import pyarrow.compute as pc

from features.contracts import columns as c
from features.quality.check import Batch, Check, Finding


class SomebodyActed(Check):
    """A user id or an anonymous id is there."""

    name = "missing_user"
    meaning = "there is neither a user id nor an anonymous id"
    meaning_zh = "既没有用户标识也没有匿名标识"
    bad_rows = ({c.USER_ID: None}, {c.USER_ID: "", c.ANONYMOUS_ID: ""})

    def find(self, batch: Batch) -> Iterator[Finding]:
        nobody = pc.and_(batch.column(c.USER_ID).is_null(), batch.column(c.ANONYMOUS_ID).is_null())
        yield Finding(c.USER_ID, nobody, f"{c.USER_ID} and {c.ANONYMOUS_ID} are both missing")
