def test_an_operator_merges_sees_and_parts(mallard):
    merged = mallard("--json", "identity", "merge", "u1", "u2", "--reason", "one person")
    assert merged.document == {"user_id": "u1", "changed": True}
    assert mallard("--json", "identity", "merge", "u2", "u1", "--reason", "again").document["changed"] is False
    shown = mallard("--json", "identity", "show", "u2").document
    assert (shown["user_id"], shown["members"]) == ("u1", ["u1", "u2"])
    assert {(link["kind"], link["source"], link["reason"]) for link in shown["links"]} == {
        ("merge", "operator", "one person")
    }
    assert "counts for u1" in mallard("identity", "show", "u2").out
    parted = mallard("--json", "identity", "unmerge", "u1", "u2", "--reason", "two people")
    assert parted.document == {"taken_back": ["merge"]}
    assert mallard("--json", "identity", "show", "u2").document["members"] == ["u2"]


def test_what_is_not_joined_cannot_be_parted(mallard):
    outcome = mallard("identity", "unmerge", "u1", "u2", "--reason", "two people")
    assert (outcome.code, "nothing joins" in outcome.err) == (2, True)
    assert mallard("identity", "merge", "u1", "u1", "--reason", "same").code == 2


def test_users_joined_through_a_third_are_named(mallard):
    mallard("identity", "merge", "u1", "u2", "--reason", "one")
    mallard("identity", "merge", "u2", "u3", "--reason", "one")
    outcome = mallard("identity", "unmerge", "u1", "u3", "--reason", "no")
    assert (outcome.code, "u1, u2, u3" in outcome.err) == (2, True)
