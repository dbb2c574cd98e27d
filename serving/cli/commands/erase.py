"""``mallard erase``: a person out of everything that is kept."""

import sys
from datetime import UTC, datetime
from pathlib import Path

import click

from features.contracts.errors import InputError
from features.contracts.home import Home
from features.lake import Lake
from serving.cli.command import command, pass_session
from serving.cli.commands.keys import store_of
from serving.cli.session import Session, columns
from serving.erasure import Jobs, Receipt, ask_to_erase, lift, read_receipt
from serving.erasure import erase as take_out


@command(
    "erase",
    example="mallard erase 2212 --yes\nmallard erase --pending\nmallard erase --verify receipt.json\n"
    "mallard erase --lift 2212",
)
@click.argument("user_id", metavar="[USER]", required=False)
@click.option("--yes", is_flag=True, help="Do not ask whether it is meant.")
@click.option("--pending", is_flag=True, help="Finish the erasures that were asked for, over HTTP or before a crash.")
@click.option("--verify", type=click.Path(dir_okay=False, path_type=Path), metavar="RECEIPT",
              help="Check that this home signed a receipt, and that nobody changed it.")  # fmt: skip
@click.option("--lift", "lifted", metavar="USER", help="Admit an erased person's ids again; what went stays gone.")
@pass_session
def erase(
    session: Session, user_id: str | None, *, yes: bool, pending: bool, verify: Path | None, lifted: str | None
) -> None:
    """Remove a person, under all ids that are his, from every place, and refuse his ids from then on.

    From the lake, tags, profiles, the online store, risk snapshots and lists. Every place is searched again; the signed
    receipt says what was found and that nothing is left. Ended in the middle it goes on where it was: call it again.
    A model that was trained before gives nothing out about him, and holds his id until another takes its place.
    """
    if sum((user_id is not None, pending, verify is not None, lifted is not None)) != 1:
        raise InputError("give one of a user's id, --pending, --verify RECEIPT and --lift USER")
    if verify is not None:
        _verify(session, verify)
    elif lifted is not None:
        ids = lift(session.home, lifted)
        session.answer({"lifted": ids}, f"{ids} ids are admitted again")
    elif pending:
        _finish(session)
    elif user_id is not None:
        if not yes and sys.stdin.isatty():
            click.confirm(f"Erase everything about the user '{user_id}'? It cannot be undone.", abort=True, err=True)
        receipt, file = _erase(session.home, user_id)
        session.answer(_document(receipt, file), _text(receipt, file))


def _erase(home: Home, user_id: str) -> tuple[Receipt, Path]:
    with store_of(home) as store:
        job = ask_to_erase(home, store, user_id, now=datetime.now(UTC))
        return take_out(home, store, job.id), Jobs(home).receipt_file(job.id)


def _finish(session: Session) -> None:
    jobs = Jobs(session.home)
    with store_of(session.home) as store:
        receipts = [(take_out(session.home, store, erasure), jobs.receipt_file(erasure)) for erasure in jobs.pending()]
    text = "\n\n".join(_text(receipt, file) for receipt, file in receipts)
    session.answer([_document(receipt, file) for receipt, file in receipts], text or "no erasure is under way")


def _verify(session: Session, file: Path) -> None:
    receipt = read_receipt(file)
    if not receipt.is_signed_by(Lake(session.home).identity_key):
        raise InputError(f"{file}: the signature is not that of this home's identity key, or the receipt was changed")
    session.answer(
        {"valid": True, "erasure": receipt.erasure, "statement": receipt.statement},
        f"{file} is what was signed at the end of erasure {receipt.erasure}\n{receipt.statement['en']}",
    )


def _document(receipt: Receipt, file: Path) -> dict[str, object]:
    return {"file": str(file), "receipt": receipt.model_dump(mode="json")}


def _text(receipt: Receipt, file: Path) -> str:
    rows = [[what, count] for removed in receipt.removed for what, count in removed.found.items() if count]
    table = columns(["was in", "records"], rows) + "\n\n" if rows else ""
    kept = "".join(f"\nstill holds his id: {model.kind} {model.version} ({model.where})" for model in receipt.kept)
    return f"{table}{receipt.statement['en']}\n{receipt.statement['zh']}{kept}\nreceipt: {file}"
