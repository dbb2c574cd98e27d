"""One small mall for all tests that only look: 1,500 people, 56 days, made once per worker."""

import duckdb
import pytest

from features.simulator import World, simulate

WORLD = World(users=1_500, items=400, days=56, seed=11, block_users=1_000, people_per_ring=400, people_per_farm=400)


@pytest.fixture(scope="session")
def mall(tmp_path_factory):
    return simulate(WORLD, tmp_path_factory.mktemp("simulated") / "mall")


@pytest.fixture(scope="session")
def ask(mall):
    """SQL over the events and the truth of the mall; rows as tuples."""
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        for name, path in {
            "events": "events/*.parquet",
            "items": "items.parquet",
            "accounts": "users.parquet",
            "people": "truth/users.parquet",
            "fraud": "truth/fraud.parquet",
            "identities": "truth/identities.parquet",
            "churn": "truth/churn.parquet",
        }.items():
            connection.execute(f"CREATE VIEW {name} AS SELECT * FROM '{mall.folder / path}'")
        yield lambda query: connection.sql(query).fetchall()
