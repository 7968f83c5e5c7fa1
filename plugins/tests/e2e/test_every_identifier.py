"""E-mails, phones and mobile ad ids of the same people, into one audience, and out of it again."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterable

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cdp_snapchat.simulator import SnapchatSimulator
from main_job import AUDIENCE, Cdp, Job, add_connection, digest

NAME = "Everybody, every way"
MATCHING = (
    "--match",
    "EMAIL=email",
    "--match",
    "EMAIL=work",
    "--match",
    "PHONE=phone",
    "--match",
    "MOBILE_AD_ID=ad",
)
# Person n's phone is 31 6 1234 0000 + n, each time written by another hand.
HANDS = (
    ("+316{}", "NL"),
    ("06 {}", "NL"),
    ("06-{}", None),
    ("+31 (0)6 {}", "US"),
    ("0031.6.{}", "DE"),
    ("tel:+31-6-{};ext=4", None),
    ("+31 6/{} x 9", "Holland"),
)


def sha(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()


def ad(number: int) -> str:
    return str(uuid.UUID(int=(0xF81D4FAE << 96) + number))


def emails(numbers: Iterable[int]) -> set[bytes]:
    return {digest(f"{place}{n}@example.org") for n in numbers for place in ("home", "work")}


def phones(numbers: Iterable[int]) -> set[bytes]:
    return {sha(f"316{12340000 + n}") for n in numbers}


def ads(numbers: Iterable[int]) -> set[bytes]:
    return {sha(ad(n)) for n in numbers}


def write(job: Job, numbers: Iterable[int]) -> None:
    """People whose every identifier is there, and one of whom nothing can be made."""
    people = list(numbers)
    hands = [HANDS[n % len(HANDS)] for n in people]
    rows = {
        "customer_id": [*(f"c{n}" for n in people), "nobody"],
        "email": [*(f"Home{n}@example.org " for n in people), "n/a"],
        "work": [*(f"work{n}@example.org" for n in people), None],
        "phone": [
            *(hand.format(12340000 + n) for n, (hand, _) in zip(people, hands, strict=True)),
            "0000000000",
        ],
        "country": [*(country for _, country in hands), "NL"],
        "ad": [*(f" {ad(n).upper()}" for n in people), "00000000-0000-0000-0000-000000000000"],
    }
    pq.write_table(
        pa.table({name: pa.array(values, pa.string()) for name, values in rows.items()}), job.profiles
    )


@pytest.fixture
def everybody(cdp: Cdp, simulator: SnapchatSimulator) -> Job:
    """Signed in, with an export of everybody's identifiers of every kind."""
    made = Job(cdp=cdp, simulator=simulator, profiles=cdp.folder / "profiles.parquet")
    write(made, range(300))
    cdp("init", "--profiles", "profiles.parquet", "--key", "customer_id")
    cdp("segment", "add", "Everybody", "--where", "true")
    add_connection(cdp, simulator)
    cdp.sign_in("Snapchat EU")
    cdp(
        *("export", "add", NAME, "--connection", "Snapchat EU", "--set", f"audience_id={AUDIENCE}"),
        *("--set", "batch_size=100", "--segment", "Everybody", *MATCHING),
        *("--region-field", "country", "--default-region", "NL"),
    )
    simulator.clear_requests()
    return made


def held(job: Job) -> tuple[set[bytes], set[bytes], set[bytes]]:
    found = [job.simulator.members(AUDIENCE, f"{kind}_SHA256") for kind in ("EMAIL", "PHONE", "MOBILE_AD_ID")]
    return found[0], found[1], found[2]


def wanted(numbers: range) -> tuple[set[bytes], set[bytes], set[bytes]]:
    return emails(numbers), phones(numbers), ads(numbers)


def test_the_audience_holds_each_person_s_every_identifier(everybody: Job) -> None:
    report = everybody.cdp.json("export", "run", NAME)
    assert held(everybody) == wanted(range(300))
    read = {kind: (counts["read"], counts["added"]) for kind, counts in report["kinds"].items()}
    assert read == {"EMAIL": (602, 600), "PHONE": (301, 300), "MOBILE_AD_ID": (301, 300)}
    assert report["kinds"]["PHONE"]["placeholder"] == 1
    assert report["kinds"]["MOBILE_AD_ID"]["placeholder"] == 1
    assert report["delivered"]["requests"] == 12


def test_a_second_run_sends_nothing_and_a_third_what_has_changed(everybody: Job) -> None:
    everybody.cdp("export", "run", NAME)
    everybody.simulator.clear_requests()
    everybody.cdp("export", "run", NAME)
    assert everybody.uploads() == []
    write(everybody, range(10, 310))
    report = everybody.cdp.json("export", "run", NAME)
    assert held(everybody) == wanted(range(10, 310))
    assert {kind: (counts["added"], counts["removed"]) for kind, counts in report["kinds"].items()} == {
        "EMAIL": (20, 20), "PHONE": (10, 10), "MOBILE_AD_ID": (10, 10),
    }  # fmt: skip


def test_a_kind_that_is_not_matched_any_more_is_taken_out(everybody: Job) -> None:
    everybody.cdp("export", "run", NAME)
    everybody.cdp(
        *("export", "edit", NAME, "--match", "PHONE=phone", "--match", "EMAIL=work"),
    )
    report = everybody.cdp.json("export", "run", NAME, "--allow-shrink")
    work = {digest(f"work{n}@example.org") for n in range(300)}
    assert held(everybody) == (work, phones(range(300)), set())
    assert report["kinds"]["MOBILE_AD_ID"]["removed"] == 300
    assert report["kinds"]["EMAIL"]["removed"] == 300
    assert everybody.cdp.json("export", "run", NAME)["delivered"]["planned"] == 0


def test_nothing_kept_or_printed_holds_a_phone_or_a_mobile_ad_id(everybody: Job) -> None:
    run = everybody.cdp("--debug", "export", "run", NAME)
    kept = b"".join(
        path.read_bytes() for path in (everybody.cdp.folder / ".cdp").rglob("*") if path.is_file()
    )
    for text in (kept, run.stdout.encode(), run.stderr.encode()):
        assert b"12340007" not in text
        assert ad(7).encode() not in text.lower()
