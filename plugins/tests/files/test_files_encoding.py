"""Files read back as what was sent, in every format, and the same batch is the same bytes."""

from __future__ import annotations

import hashlib

import pytest

from cdp_core import Batch, DigestBlock, Operation
from cdp_files.encoding import COMPRESSIONS, DELIMITERS, FORMATS, encoded, ending
from reading_files import rows_of


def batch(count: int, operation: Operation = Operation.ADD) -> Batch:
    digests = b"".join(hashlib.sha256(str(n).encode()).digest() for n in range(count))
    return Batch(operation=operation, kind="EMAIL", digests=DigestBlock(digests))


@pytest.mark.parametrize("compression", COMPRESSIONS)
@pytest.mark.parametrize("format_", FORMATS)
@pytest.mark.parametrize("count", [1, 1000])
def test_what_is_written_reads_back(format_: str, compression: str, count: int) -> None:
    sent = batch(count, Operation.REMOVE)
    content = encoded(sent, format_=format_, compression=compression)
    rows = rows_of(f"x{ending(format_, compression)}", content)
    assert rows == [
        {"operation": "remove", "kind": "EMAIL", "digest": digest.hex()} for digest in sent.digests
    ]
    assert encoded(sent, format_=format_, compression=compression) == content


@pytest.mark.parametrize("delimiter", DELIMITERS)
def test_csv_has_the_delimiter_that_was_asked_for_and_no_quotation_marks(delimiter: str) -> None:
    content = encoded(batch(3), format_="csv", compression="none", delimiter=delimiter).decode()
    sign = DELIMITERS[delimiter]
    assert content.splitlines()[0] == sign.join(("operation", "kind", "digest"))
    assert '"' not in content
    assert len(rows_of("x.csv", content.encode(), sign)) == 3


@pytest.mark.parametrize("format_", ["csv", "ndjson"])
def test_no_cell_can_be_a_formula(format_: str) -> None:
    rows = rows_of(f"x.{format_}", encoded(batch(500), format_=format_, compression="none"))
    assert not [cell for row in rows for cell in row.values() if cell[0] in "=+-@\t\r"]
