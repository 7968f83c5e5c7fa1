"""A batch as the bytes of one file. The same batch yields the same bytes, so that one sent again replaces
itself.

Of digests, every column's values are words and hexadecimal digits of ours: nothing in them can be a
spreadsheet's formula, hold a delimiter, or need a quotation mark. Whole rows hold anything: their texts are
quoted in CSV, and what a spreadsheet would take for a formula is given an apostrophe.
"""

from __future__ import annotations

import gzip
import io
import json
from binascii import hexlify

import pyarrow as pa
import pyarrow.csv as pcsv
import pyarrow.parquet as pq

from cdp_core import Batch, without_formulas

FORMATS = ("parquet", "csv", "ndjson")
COMPRESSIONS = ("none", "gzip", "zstd")
DELIMITERS = {"comma": ",", "semicolon": ";", "tab": "\t", "pipe": "|"}
_ENDINGS = {"none": "", "gzip": ".gz", "zstd": ".zst"}
_HEX_DIGITS = 64


def ending(format_: str, compression: str) -> str:
    """What a file's name ends with. Parquet compresses within itself, so that its name does not say it."""
    return f".{format_}" + ("" if format_ == "parquet" else _ENDINGS[compression])


def encoded(
    batch: Batch,
    *,
    format_: str,
    compression: str,
    delimiter: str = "comma",
    escape_formulas: bool = True,
) -> bytes:
    """One row for each digest: operation, kind, and the digest in lower-case hexadecimal; of whole rows,
    operation, record and the chosen fields, as texts."""
    table = _table(batch) if batch.rows is None else _rows(batch, batch.rows)
    if format_ == "ndjson":
        return _compressed(_lines(batch) if batch.rows is None else _objects(table), compression)
    sink = io.BytesIO()
    if format_ == "parquet":
        pq.write_table(table, sink, compression=compression)
        return sink.getvalue()
    if batch.rows is not None:
        options = pcsv.WriteOptions(delimiter=DELIMITERS[delimiter], quoting_style="needed")
        pcsv.write_csv(without_formulas(table) if escape_formulas else table, sink, options)
        return _compressed(sink.getvalue(), compression)
    options = pcsv.WriteOptions(delimiter=DELIMITERS[delimiter], quoting_style="none")
    pcsv.write_csv(table, sink, options)
    return _compressed(_without_quotes(sink.getvalue()), compression)


def _table(batch: Batch) -> pa.Table:
    count = len(batch.digests)
    return pa.table(
        {
            "operation": pa.repeat(str(batch.operation), count),
            "kind": pa.repeat(batch.kind, count),
            "digest": _in_hex(batch),
        }
    )


def _rows(batch: Batch, rows: pa.Table) -> pa.Table:
    own = {"operation": pa.repeat(str(batch.operation), len(batch.digests)), "record": _in_hex(batch)}
    return pa.table(own | {column: rows.column(column) for column in rows.column_names})


def _in_hex(batch: Batch) -> pa.Array:
    count = len(batch.digests)
    offsets = pa.array(range(0, _HEX_DIGITS * (count + 1), _HEX_DIGITS), pa.int32())
    digits = pa.py_buffer(hexlify(batch.digests.bytes))
    return pa.StringArray.from_buffers(count, offsets.buffers()[1], digits)


def _objects(table: pa.Table) -> bytes:
    rows = table.to_pylist()
    return "".join(json.dumps(row, ensure_ascii=False, separators=(",", ":")) + "\n" for row in rows).encode()


def _without_quotes(content: bytes) -> bytes:
    """Arrow puts quotation marks around the header's names."""
    header, end, rows = content.partition(b"\n")
    return header.replace(b'"', b"") + end + rows


def _lines(batch: Batch) -> bytes:
    if not len(batch.digests):
        return b""
    about = json.dumps({"operation": str(batch.operation), "kind": batch.kind}, separators=(",", ":"))
    before, after = about[:-1] + ',"digest":"', '"}\n'
    return (before + batch.digests.joined_hex(after + before) + after).encode()


def _compressed(content: bytes, compression: str) -> bytes:
    if compression == "gzip":
        return gzip.compress(content, compresslevel=6, mtime=0)
    if compression == "zstd":
        sink = pa.BufferOutputStream()
        with pa.CompressedOutputStream(sink, "zstd") as stream:
            stream.write(content)
        return bytes(sink.getvalue())
    return content
