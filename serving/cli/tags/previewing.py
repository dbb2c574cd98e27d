"""``mallard tags preview``: what a rule would say of users, before it is kept."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
import pyarrow as pa
import pyarrow.compute as pc

from features.contracts import columns as c
from features.contracts.home import Home
from features.contracts.rule_files import RuleFiles, using_rules
from features.engine import EventTables, build_tags
from features.lake import Lake
from features.tags.rules import Rule, read_rules, tags_of, unmatched
from features.tags.spec.registry import find, registered
from serving.cli.command import command, pass_session
from serving.cli.moments import as_of_option, moment_of
from serving.cli.session import Session, columns

_SAMPLE = 5


@command("preview", example="mallard tags preview expecting_parent\nmallard tags preview new-rules.yaml --sample 10")
@click.argument("rule", metavar="RULE")
@as_of_option
@click.option("--sample", default=_SAMPLE, type=click.IntRange(0), help="How many users of each value to name.")
@pass_session
def preview(session: Session, rule: str, as_of: str | None, sample: int) -> None:
    """Say how many users would have which value of RULE, and name some. Nothing is kept.

    RULE is the name of a rule of configs/tags, or of any tag, or a .yaml file of rules that is not there yet; a rule
    of the file stands in for one of the same name.
    """
    lake = Lake(session.home)
    moment = moment_of(as_of, lake)
    with _rules(session.home, rule) as (names, rules):
        table = build_tags(EventTables.from_lake(lake), moment, tags=names)
        notes = unmatched([each for each in rules if each.name in names], lake.read_items())
        documents = [
            {
                "rule": name,
                "title": find(name).title,
                "title_zh": find(name).title_zh,
                "as_of": moment.isoformat(),
                "users": table.num_rows,
                "values": _values(table, name, sample),
                "notes": [str(note) for note in notes if note.rule == name],
            }
            for name in names
        ]
    session.answer(documents, "\n\n".join(_text(document) for document in documents))


@contextmanager
def _rules(home: Home, rule: str) -> Iterator[tuple[list[str], tuple[Rule, ...]]]:
    """The names to look at and all rules, known to the catalogue inside the block."""
    files = RuleFiles(home.tag_rules).files()
    if not rule.endswith((".yaml", ".yml")):
        find(rule)
        yield [rule], read_rules(files)
        return
    path = Path(rule)
    own = read_rules([path])
    names = [each.name for each in own]
    kept = read_rules(file for file in files if file.resolve() != path.resolve())
    rules = (*(each for each in kept if each.name not in names), *own)
    with using_rules(None), registered(*tags_of(rules)):
        yield names, rules


def _values(table: pa.Table, name: str, sample: int) -> list[dict[str, Any]]:
    """Every value with its users, the most frequent first, null last."""
    counted = [(entry["values"], entry["counts"]) for entry in table[name].value_counts().to_pylist()]
    counted.sort(key=lambda entry: (entry[0] is None, -entry[1], str(entry[0])))
    return [
        {"value": value, "users": count, "share": count / table.num_rows, "sample": _some(table, name, value, sample)}
        for value, count in counted
    ]


def _some(table: pa.Table, name: str, value: Any, sample: int) -> list[str]:
    """Users with the value, from all over the table, always the same ones."""
    has = pc.is_null(table[name]) if value is None else pc.equal(table[name], value)
    users = table[c.USER_ID].filter(has)
    step = max(1, len(users) // sample) if sample else 1
    return [str(users[place]) for place in range(0, len(users), step)][:sample]


def _text(document: dict[str, Any]) -> str:
    rows = [
        [_told(entry["value"]), entry["users"], f"{entry['share']:.1%}", ", ".join(entry["sample"])]
        for entry in document["values"]
    ]
    head = (
        f"{document['rule']} · {document['title']} · {document['title_zh']}\n"
        f"{document['users']:,} users as of {document['as_of']}, nothing is kept"
    )
    notes = "".join(f"\nnote: {note}" for note in document["notes"])
    return f"{head}\n\n{columns(['value', 'users', 'share', 'for instance'], rows)}{notes}"


def _told(value: Any) -> str:
    if value is None:
        return "(null)"
    return ("no", "yes")[value] if isinstance(value, bool) else str(value)
