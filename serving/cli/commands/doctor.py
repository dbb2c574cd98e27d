"""``mallard doctor``: is everything in place, and what is to be done."""

import importlib

import click

from features.contracts.home import Home
from serving.cli.checkup.finding import Finding, State
from serving.cli.command import command, pass_session
from serving.cli.session import Session

_PARTS = ("serving.cli.checkup.installation", "serving.cli.checkup.state")
_MARKS = {State.OK: "ok", State.TODO: "to do", State.BROKEN: "BROKEN"}


def look_at(home: Home) -> list[Finding]:
    """Every finding. A part that cannot be imported and an examination that fails are findings too."""
    findings: list[Finding] = []
    for part in _PARTS:
        try:
            examinations = importlib.import_module(part).EXAMINATIONS
        except Exception as error:  # whatever a broken package raises, the rest of the report must come
            findings.append(_failed(part.rpartition(".")[2], error))
            continue
        for examination in examinations:
            try:
                findings += examination(home)
            except Exception as error:  # as above
                findings.append(_failed(examination.__name__, error))
    return findings


@command("doctor", example="mallard doctor")
@pass_session
def doctor(session: Session) -> None:
    """Check the installation: one line each, with what to do. Ends with code 1 when something is broken."""
    findings = look_at(session.home)
    broken = [finding for finding in findings if finding.state is State.BROKEN]
    session.answer(
        {"healthy": not broken, "findings": [vars(finding) for finding in findings]},
        "\n".join(_line(finding) for finding in findings),
    )
    if broken:
        click.get_current_context().exit(1)


def _failed(what: str, error: Exception) -> Finding:
    return Finding(what, State.BROKEN, f"{type(error).__name__}: {error}")


def _line(finding: Finding) -> str:
    remedy = f"\n{'':9}-> {finding.remedy}" if finding.remedy else ""
    return f"{_MARKS[finding.state]:<8} {finding.what}: {finding.detail}{remedy}"
