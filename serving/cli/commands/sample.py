"""``mallard sample``: data sets that come inside packages."""

import click

from features.sources import SAMPLES
from serving.cli.command import command, pass_session
from serving.cli.commands.ingest import ingest_source, report_document, report_text
from serving.cli.session import Session

_ABOUT = {
    "complete-journey": "1.47 million purchase lines of 2,469 households with products, 2017",
    "cdnow": "69,659 purchases of 23,570 customers of a CD shop, 1997 to 1998",
}


@command("sample", example="mallard sample\nmallard sample complete-journey")
@click.argument("name", required=False, type=click.Choice(list(SAMPLES)), metavar="[NAME]")
@pass_session
def sample(session: Session, name: str | None) -> None:
    """Take the sample NAME into the lake; without a name, list the samples."""
    if name is None:
        about = {each: _ABOUT.get(each, "") for each in SAMPLES}
        session.answer(about, "\n".join(f"{each}: {text}" for each, text in about.items()))
        return
    report = ingest_source(session.home, SAMPLES[name]())
    session.answer(report_document(report), report_text(report))
