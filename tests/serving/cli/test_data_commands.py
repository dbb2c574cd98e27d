from datetime import UTC, datetime

from features.lake import Lake
from features.sources import SAMPLES
from serving.store import open_store


def test_a_log_with_columns_of_its_own_goes_into_the_lake(mallard, log, home):
    outcome = mallard("ingest", log, "--mapping", log.with_name("mapping.yaml"))
    assert outcome.code == 0, outcome.err
    assert outcome.out.startswith("4 events of")
    assert not Lake(home).is_empty


def test_the_same_log_twice_changes_nothing(filled, log, home):
    before = Lake(home).fingerprint()
    outcome = filled("--json", "ingest", log, "--mapping", log.with_name("mapping.yaml"))
    assert outcome.document["already_ingested"]
    assert outcome.document["added"] == 0
    assert Lake(home).fingerprint() == before


def test_a_yaml_file_describes_a_whole_data_set(mallard, log, tmp_path):
    described = tmp_path / "mall.yaml"
    mapping = log.with_name("mapping.yaml").read_text(encoding="utf-8").replace("\n", "\n  ")
    described.write_text(f"name: my-mall\ninteractions:\n  path: log.csv\n  {mapping}", encoding="utf-8")
    assert mallard("--json", "ingest", described).document["source"] == "my-mall"
    wrong = mallard("ingest", described, "--mapping", "x.yaml")
    assert (wrong.code, "leave out --mapping" in wrong.err) == (2, True)


def test_too_many_bad_rows_end_with_3_and_store_nothing(mallard, log, home):
    with log.open("a", encoding="utf-8") as file:
        file.write("u3,i1,2026-01-02T10:00:00Z,dance,\n")
    mapping = log.with_name("mapping.yaml")
    refused = mallard("ingest", log, "--mapping", mapping)
    assert refused.code == 3
    assert Lake(home).is_empty
    kept = mallard("ingest", log, "--mapping", mapping, "--allow-over-limit", "--json")
    assert (kept.code, kept.document["accepted"], kept.document["within_limit"]) == (0, 4, False)
    shown = mallard("quality", "--json")
    assert (shown.code, '"error_rate": 0.2' in shown.out) == (3, True)
    assert mallard("quality", "--allow-over-limit").code == 0


def test_what_cannot_be_read_ends_with_2_and_names_the_file(mallard, tmp_path):
    missing = mallard("ingest", "nowhere.csv")
    assert (missing.code, "nowhere.csv" in missing.err) == (2, True)
    (tmp_path / "empty.csv").write_text("", encoding="utf-8")
    assert mallard("ingest", tmp_path / "empty.csv").code == 2
    (tmp_path / "m.yaml").write_text("colums: {}", encoding="utf-8")
    unknown_key = mallard("ingest", tmp_path / "empty.csv", "--mapping", tmp_path / "m.yaml")
    assert (unknown_key.code, "m.yaml:1: colums" in unknown_key.err) == (2, True)


def test_ingest_wants_one_thing(mallard):
    assert mallard("ingest").code == 2
    assert mallard("ingest", "a.csv", "--sample", "cdnow").code == 2


def test_the_inbox_of_the_server_goes_into_the_lake(filled, home):
    store = open_store(home)
    row = {
        "event_id": "e9",
        "event_type": "view",
        "user_id": "u1",
        "item_id": "i2",
        "occurred_at": datetime(2026, 1, 6, tzinfo=UTC),
    }
    store.add_events([row])
    store.close()
    assert filled("--json", "ingest", "inbox").document == {"events": 1, "items": 0, "users": 0, "logins": 0}
    assert filled("--json", "ingest", "inbox").document["events"] == 0
    assert Lake(home).last_event_at().day == 6


def test_samples_are_listed(mallard):
    assert set(mallard("--json", "sample").document) == set(SAMPLES)
    assert all(mallard("--json", "sample").document.values())


def test_quality_is_shown_and_saved(filled, tmp_path):
    outcome = filled("quality", "--out", tmp_path / "reports" / "q.json")
    assert outcome.code == 0
    assert "accepted" in outcome.out
    assert '"rows_in": 4' in (tmp_path / "reports" / "q.json").read_text(encoding="utf-8")


def test_an_empty_lake_says_what_comes_first(mallard):
    for arguments in (["tags", "build"], ["quality"], ["score"]):
        outcome = mallard(*arguments)
        assert outcome.code == 5, arguments
        assert outcome.err.startswith("error: ")
