"""What a run's end means for the process that ran it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from cdp_core.errors import Code, ExitStatus
from cdp_core.model.accounting import DeliveryCounts
from cdp_core.model.delivery import BatchOutcome, BatchStatus
from cdp_core.model.journal import NOTHING_SENT, JournalTotals
from cdp_core.model.names import as_typed
from cdp_core.model.run import Run, RunStatus
from cdp_core.model.sentence import Sentence
from cdp_core.pipeline.plan import Plan
from cdp_core.rules.records import RECORD


def exit_status(run: Run) -> ExitStatus:
    """The status that the run's own fault has, else the worst of what became of its digests."""
    if run.error_code is not None:
        return next(code.exit_status for code in Code if str(code) == run.error_code)
    meant_unsent = run.dry_run or run.status is RunStatus.SKIPPED
    not_sent = run.delivered.not_sent - run.delivered.left_out
    if run.delivered.unknown or (not_sent and not meant_unsent):
        return ExitStatus.TEMPORARY
    if run.delivered.refused:
        return ExitStatus.REFUSALS
    return ExitStatus.DONE


# What the service says of the request, whatever digests are in it.
_REQUEST_REFUSED = {
    str(code) for code in (Code.RECONNECT, Code.CLIENT_REFUSED, Code.RIGHTS_REFUSED, Code.AUDIENCE_GONE)
}


def delivery_counts(
    plan: Plan, outcomes: Iterable[BatchOutcome] = (), totals: JournalTotals = NOTHING_SENT
) -> DeliveryCounts:
    """What became of a plan's digests."""
    return counted(sum(plan.totals.values()), outcomes, totals)


def counted(planned: int, outcomes: Iterable[BatchOutcome], totals: JournalTotals) -> DeliveryCounts:
    """What became of `planned` digests; those that no batch was opened for were not sent, and those of a
    halved batch count with its halves."""
    found = Counter(dict.fromkeys(BatchStatus, 0))
    for outcome in outcomes:
        found[outcome.status] += outcome.range.count
    accepted, unknown = found[BatchStatus.ACCEPTED], found[BatchStatus.UNKNOWN]
    refused = found[BatchStatus.REFUSED] + found[BatchStatus.DEAD_LETTER]
    return DeliveryCounts(
        planned=planned,
        accepted=accepted,
        refused=refused,
        unknown=unknown,
        not_sent=planned - accepted - refused - unknown,
        left_out=found[BatchStatus.LEFT_OUT],
        dead_letters=found[BatchStatus.DEAD_LETTER],
        requests=totals.requests,
        retries=totals.retries,
        halves=totals.halves,
    )


def notes(run: Run) -> tuple[str, ...]:
    """Sentences for people: what was left, and what happens to it."""
    said: list[str] = []
    counts = run.delivered
    if run.only_released:
        said.append(
            Sentence(
                "Gave up {number} claims and left the members in the audience; nothing was sent.",
                one="Gave up 1 claim and left the member in the audience; nothing was sent.",
                number=run.released,
            )
        )
    if run.status is RunStatus.SKIPPED or (run.dry_run and run.skipped_because):
        because = run.skipped_because or Sentence("the audience's size")
        said.append(Sentence("Skipped, and nobody was added, because of this: {reason}.", reason=because))
    said += _unusable(run)
    said += _claims(run)
    said += _of_audience(run)
    if run.resumed_from:
        said.append(Sentence("Settled what run {run} had left.", run=run.resumed_from))
    if run.status in (RunStatus.COMMITTED, RunStatus.FAILED, RunStatus.CANCELED):
        if counts.refused:
            said.append(_refused(run))
        said += _halved(run)
        if counts.unknown:
            said.append(
                Sentence(
                    "{number} digests got no answer; the next run sends them again.",
                    one="{number} digest got no answer; the next run sends it again.",
                    number=counts.unknown,
                )
            )
        if counts.left_out:
            said.append(
                Sentence(
                    "{number} rows have changed, or their people withdrew or were suppressed, since they "
                    "were planned: not sent.",
                    one="{number} row has changed, or its person withdrew or was suppressed, since it "
                    "was planned: not sent.",
                    number=counts.left_out,
                )
                if RECORD in run.kinds
                else Sentence(
                    "{number} digests were suppressed since they were planned: not sent.",
                    one="{number} digest was suppressed since it was planned: not sent.",
                    number=counts.left_out,
                )
            )
        if not_sent := counts.not_sent - counts.left_out:
            said.append(
                Sentence(
                    "{number} digests were not sent; the next run plans them anew.",
                    one="{number} digest was not sent; the next run plans it anew.",
                    number=not_sent,
                )
            )
    return tuple(said)


def _unusable(run: Run) -> Iterator[str]:
    """A whole column of another kind of hash, or of phones without a country, is hardly ever meant."""
    for kind, counts in run.kinds.items():
        screened = counts.malformed + counts.placeholder + counts.unsupported
        if kind != RECORD and screened and screened + counts.missing == counts.read:
            yield Sentence(
                "None of the {number} values of {kind} can be sent; this shows why: cdp profiles lint "
                "--kind {kind} --field FIELD.",
                one="The one value of {kind} cannot be sent; this shows why: cdp profiles lint "
                "--kind {kind} --field FIELD.",
                number=screened,
                kind=kind,
            )


def _refused(run: Run) -> str:
    if run.error_code in _REQUEST_REFUSED:
        return Sentence(
            "The service refused the request as a whole: {number} digests were not taken.",
            one="The service refused the request as a whole: {number} digest was not taken.",
            number=run.delivered.refused,
        )
    return Sentence(
        "{number} digests were refused by the service.",
        one="{number} digest was refused by the service.",
        number=run.delivered.refused,
    )


def _claims(run: Run) -> Iterator[str]:
    """What becomes of claims that a mirror would have ended, or not have sent."""
    if kept := sum(kind.kept for kind in run.kinds.values()):
        yield Sentence(
            "{number} digests that are not wanted any more stay in the audience: the export only adds.",
            one="{number} digest that is not wanted any more stays in the audience: the export only adds.",
            number=kept,
        )
    if resent := sum(kind.resent for kind in run.kinds.values()):
        yield Sentence(
            "Of what is sent, {number} digests were in the audience already: they are sent once more.",
            one="Of what is sent, {number} digest was in the audience already: it is sent once more.",
            number=resent,
        )


def _of_audience(run: Run) -> Iterator[str]:
    """What the service said of it, before and after."""
    yield from run.drift
    if run.drift:
        yield Sentence(
            "To send the ledger's whole content again: cdp export resync {export}",
            export=as_typed(run.export_name),
        )
    if run.audience is not None and run.audience.warning:
        yield run.audience.warning


def _halved(run: Run) -> Iterator[str]:
    """How far the refused digests were found, and at what price."""
    counts = run.delivered
    if counts.halves:
        yield Sentence(
            "{number} further requests were sent to find the refused digests.",
            one="{number} further request was sent to find the refused digests.",
            number=counts.halves,
        )
    if counts.dead_letters:
        yield Sentence(
            "The next run tries {number} of them again, apart from the others.",
            number=counts.dead_letters,
        )
    if counts.halves and run.error_code is None and counts.refused > counts.dead_letters:
        yield Sentence(
            "{number} of them are in batches that were not halved any further; the next run goes on.",
            number=counts.refused - counts.dead_letters,
        )
