from features.lake import Lake

SMALL = ("--users", 60, "--items", 50, "--days", 8, "--processes", 1)


def test_a_mall_is_invented_and_taken_in(mallard, home, tmp_path):
    made = mallard("simulate", *SMALL, "--seed", 4, "--out", tmp_path / "mall", "--json")
    assert made.code == 0, made.err
    taken = mallard("--json", "ingest", made.document["source"])
    assert taken.code == 0, taken.err
    assert taken.document["added"] == made.document["events"] > 0
    assert taken.document["quarantined"] == {}
    assert len(Lake(home).read_items()) == 50


def test_what_cannot_be_is_refused_by_name(mallard, tmp_path):
    few = mallard("simulate", "--users", 1, "--out", tmp_path / "mall")
    assert (few.code, "users: " in few.err) == (2, True)
    late = mallard("simulate", "--start", "soon", "--out", tmp_path / "mall")
    assert (late.code, "start: " in late.err) == (2, True)
    assert mallard("simulate").code == 2
    (tmp_path / "mall").mkdir()
    (tmp_path / "mall" / "mine.txt").write_text("mine", encoding="utf-8")
    taken = mallard("simulate", *SMALL, "--out", tmp_path / "mall")
    assert (taken.code, "is there already" in taken.err) == (2, True)
