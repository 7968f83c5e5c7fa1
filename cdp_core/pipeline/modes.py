"""The modes' rules: what becomes of one range's digests, given what is wanted and what is claimed.

With `wanted` today's digests, `own` the export's claims (confirmed and perhaps there), `others` those of
the audience's other exports, and `barred` what is suppressed or withheld for want of consent. In every mode:

- own and barred: **remove**, which is owed whatever another claims; the others' claims end with it.

Beside that, in the mode `mirror`:

- wanted and own and confirmed: unchanged;
- wanted and not so, but confirmed by another: unchanged, and claimed without sending;
- wanted otherwise: **add**; also what is only perhaps there;
- own and not wanted, and another claims it: released, sends nothing;
- own and not wanted otherwise: **remove**.

`add-only` keeps the claims of the last two and sends nothing for them. `remove` takes out what is wanted,
whoever has put it there, and no claim on it stays. `replace` has the audience emptied, with the claims that
are not wanted, and then adds all that is.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import pyarrow as pa

from cdp_core.model.policy import Mode
from cdp_core.pipeline.claims import Claims, Fold
from cdp_core.pipeline.digest_sets import EMPTY, minus, part, same_rows, union
from cdp_core.pipeline.plan import PlanPart

# Wanted, own and others' claims, and barred, of one range; claims are folded in the thread that judges.
Held = tuple[pa.Array, Fold, Fold, pa.Array]


@dataclass(frozen=True, slots=True)
class Verdict:
    """One range's digests by what becomes of them. `there` are those that need not be sent, and may be sent
    again on purpose; `beside` are numbers for the sums (fields of `KindCounts`)."""

    parts: Mapping[PlanPart, pa.Array]
    there: pa.Array = field(default_factory=lambda: EMPTY)
    beside: Mapping[str, int] = field(default_factory=dict)


Rule = Callable[[pa.Array, Claims, Claims, pa.Array], Verdict]


def rule(mode: Mode) -> Callable[[Held], Verdict]:
    """What judges a range in a mode; any thread may call it."""

    def judge(held: Held) -> Verdict:
        wanted, own, others, barred = held
        verdict = _RULES[mode](wanted, own(), others(), barred)
        return dataclasses.replace(verdict, parts={**dict.fromkeys(PlanPart, EMPTY), **verdict.parts})

    return judge


def of_rows(judge: Callable[[Held], Verdict], *, adds: bool) -> Callable[[Held], Verdict]:
    """The same for records, where all versions of a row stand for one person: with one that is barred, the
    claims on all of them are. What another version takes the place of is counted; unless the run `adds`
    that, it stays."""

    def judge_rows(held: Held) -> Verdict:
        wanted, own, others, barred = held
        claims, theirs = own(), others()
        if len(barred):
            all_claims = union([claims.all, theirs.all])
            barred = all_claims.filter(same_rows(all_claims, barred))
        verdict = judge((wanted, lambda: claims, lambda: theirs, barred))
        parts, beside = dict(verdict.parts), Counter(verdict.beside)
        for each in (PlanPart.REMOVE, PlanPart.EMPTIED):
            gone = minus(parts[each], parts[PlanPart.OWED])
            if not len(gone) or not len(wanted):
                continue
            replaced = gone.filter(same_rows(gone, wanted))
            if adds:
                beside["replaced"] += len(replaced)
            else:
                parts[each] = minus(parts[each], replaced)
                beside["kept"] += len(replaced)
        return dataclasses.replace(verdict, parts=parts, beside=beside)

    return judge_rows


class Again:
    """Has what is there sent again: `most` digests of it, or, where that is None, everything that is wanted
    and whatever the mode keeps, though another export claims it."""

    def __init__(self, most: int | None) -> None:
        self._left = most

    def with_more(self, verdict: Verdict) -> Verdict:
        """Verdicts come in their order, one at a time."""
        if self._left == 0:
            return verdict
        parts = dict(verdict.parts)
        if self._left is None:
            more = pa.concat_arrays([verdict.there, parts[PlanPart.CLAIM]])
            parts[PlanPart.CLAIM] = EMPTY
        else:
            more = verdict.there[: self._left]
            self._left -= len(more)
        parts[PlanPart.ADD] = pa.concat_arrays([parts[PlanPart.ADD], more])
        beside = Counter(verdict.beside)
        beside["resent"] += len(more)
        return dataclasses.replace(verdict, parts=parts, beside=beside)


def without_additions(verdict: Verdict) -> Verdict:
    """Nobody is added, and nothing further is claimed: what would be is held back."""
    held_back = len(verdict.parts[PlanPart.ADD]) + len(verdict.parts[PlanPart.CLAIM])
    return dataclasses.replace(
        verdict,
        parts={**verdict.parts, PlanPart.ADD: EMPTY, PlanPart.CLAIM: EMPTY},
        beside=Counter(verdict.beside) + Counter(held_back=held_back),
    )


def _mirror(wanted: pa.Array, own: Claims, others: Claims, barred: pa.Array) -> Verdict:
    today, owed, unwanted = _today(wanted, own, others, barred)
    gone = part(unwanted, others.all)
    return Verdict(
        {
            **today.parts,
            PlanPart.REMOVE: pa.concat_arrays([gone.only_left, owed]),
            PlanPart.RELEASE: gone.both,
        },
        there=today.there,
    )


def _add_only(wanted: pa.Array, own: Claims, others: Claims, barred: pa.Array) -> Verdict:
    today, owed, kept = _today(wanted, own, others, barred)
    return Verdict(
        {**today.parts, PlanPart.REMOVE: owed},
        there=pa.concat_arrays([today.there, kept]),
        beside={"kept": len(kept)},
    )


def _today(
    wanted: pa.Array, own: Claims, others: Claims, barred: pa.Array
) -> tuple[Verdict, pa.Array, pa.Array]:
    """What is added and claimed, what of the own claims is owed, and what else of them is not wanted."""
    sure = part(wanted, own.confirmed)
    candidates = part(sure.only_left, others.confirmed)
    reasoned = part(pa.concat_arrays([sure.only_right, minus(own.unconfirmed, wanted)]), barred)
    owed = reasoned.both
    parts = {
        PlanPart.ADD: candidates.only_left,
        PlanPart.CLAIM: candidates.both,
        PlanPart.OWED: owed,
        PlanPart.END: part(owed, others.all).both,
    }
    return Verdict(parts, there=sure.both), owed, reasoned.only_left


def _remove(wanted: pa.Array, own: Claims, others: Claims, barred: pa.Array) -> Verdict:
    owed = part(own.all, barred).both
    out = pa.concat_arrays([wanted, minus(owed, wanted)])
    unclaimed = part(out, union([own.all, others.all])).only_left
    return Verdict(
        {PlanPart.REMOVE: out, PlanPart.OWED: owed, PlanPart.END: part(out, others.all).both},
        beside={"unclaimed": len(unclaimed)},
    )


def _replace(wanted: pa.Array, own: Claims, others: Claims, barred: pa.Array) -> Verdict:
    """What is owed is removed by itself before, so that a service that refuses to be emptied holds it back
    no more than a gate does."""
    gone = part(minus(own.all, wanted), barred)
    return Verdict(
        {
            PlanPart.ADD: wanted,
            PlanPart.REMOVE: gone.both,
            PlanPart.OWED: gone.both,
            PlanPart.END: part(gone.both, others.all).both,
            PlanPart.EMPTIED: gone.only_left,
        }
    )


_RULES: Mapping[Mode, Rule] = {
    Mode.MIRROR: _mirror,
    Mode.ADD_ONLY: _add_only,
    Mode.REMOVE: _remove,
    Mode.REPLACE: _replace,
}
