"""``mallard erase``: remove, verify, lift, and what it says when it cannot."""

import json

import pytest


@pytest.fixture
def receipt(filled, tmp_path):
    """The receipt of ``u1``, in a file of its own."""
    made = filled("--json", "erase", "u1").document
    file = tmp_path / "receipt.json"
    file.write_text(json.dumps(made["receipt"]), encoding="utf-8")
    return file


def test_a_person_goes_and_the_receipt_says_so(filled, home):
    outcome = filled("erase", "u1", "--yes")
    assert outcome.code == 0
    assert "lake/events        2" in outcome.out
    assert "2 records about the person were removed" in outcome.out
    assert "已删除该用户的 2 条记录" in outcome.out
    assert not any(b"u1" in file.read_bytes() for file in home.lake.rglob("*.parquet"))
    assert filled("identity", "show", "u2").code == 0
    assert "none under way" in filled("doctor").out


def test_a_receipt_is_verified_and_a_changed_one_is_not(filled, receipt, home):
    assert filled("erase", "--verify", receipt).code == 0
    told = json.loads(receipt.read_text(encoding="utf-8"))
    assert "u1" not in {str(value) for value in told.values()}
    told["removed"][0]["found"]["online"] += 1
    receipt.write_text(json.dumps(told), encoding="utf-8")
    outcome = filled("erase", "--verify", receipt)
    assert outcome.code == 2
    assert "signature" in outcome.err
    del told["asked_at"]
    receipt.write_text(json.dumps(told), encoding="utf-8")
    assert "asked_at" in filled("erase", "--verify", receipt).err
    assert filled("erase", "--verify", home.root / "nothing.json").code == 2


def test_another_home_did_not_sign_it(filled, receipt, home, monkeypatch, tmp_path):
    monkeypatch.setenv("MALLARD_HOME", str(tmp_path / "other"))
    assert filled("--home", tmp_path / "other", "erase", "--verify", receipt).code == 2


def test_a_lift_admits_him_again(filled, receipt, log):
    more = log.with_name("more.csv")
    more.write_text(log.read_text(encoding="utf-8").replace("2026-01-0", "2026-02-0"), encoding="utf-8")
    mapping = log.with_name("mapping.yaml")
    assert filled("--json", "ingest", more, "--mapping", mapping).document["erased"] == 2
    assert filled("erase", "--lift", "u1").code == 0
    assert filled("erase", "--lift", "u1").code == 2
    more.write_text(log.read_text(encoding="utf-8").replace("2026-01-0", "2026-03-0"), encoding="utf-8")
    assert filled("--json", "ingest", more, "--mapping", mapping).document["added"] == 4


def test_pending_finishes_nothing_where_nothing_is(filled):
    assert "no erasure is under way" in filled("erase", "--pending").out
    assert filled("--json", "erase", "--pending").document == []


@pytest.mark.parametrize("arguments", [(), ("u1", "--pending"), ("--pending", "--lift", "u1")])
def test_one_thing_at_a_time(filled, arguments):
    outcome = filled("erase", *arguments)
    assert outcome.code == 2
    assert "give one of" in outcome.err
