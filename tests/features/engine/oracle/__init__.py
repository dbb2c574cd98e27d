"""What tags should be, in plain SQL straight on events: no Ibis, no partial tables, nothing shared with the product.

A tag that reads events directly has an entry in :data:`ORACLE`, under its name without the window; a test finds those
that have none.
"""

from tests.features.engine.oracle.buying import BUYING
from tests.features.engine.oracle.people import PEOPLE
from tests.features.engine.oracle.tastes import TASTES
from tests.features.engine.oracle.truth import Oracle as _Oracle
from tests.features.engine.oracle.visits import VISITS

ORACLE: dict[str, str] = VISITS | BUYING | TASTES | PEOPLE


class Oracle(_Oracle):
    """The truth about one set of tables at one moment."""

    queries = ORACLE
