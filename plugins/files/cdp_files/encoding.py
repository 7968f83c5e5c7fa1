"""A batch as the bytes of one file. The same batch yields the same bytes, so that one sent again replaces
itself.

Every column's values are words and hexadecimal digits of ours: nothing in them can be a spreadsheet's
formula, hold a delimiter, or need a quotation mark.
"""

from __future__ import annotations

import gzip
import io
import json
from binascii import hexlify

import pyarrow as pa
import pyarrow.csv as pc
import pyarrow.parquet as pq

from cdp_core import Batch

FORMATS = ("parquet", "csv", "ndjson")
COMPRESSIONS = ("none", "gzip", "zstd")
DELIMITERS = {"comma": ",", "semicolon": ";", "tab": "\t", "pipe": "|"}
_ENDINGS = {"none": "", "gzip": ".gz", "zstd": ".zst"}
_HEX_DIGITS = 64


def ending(format_: str, compression: str) -> str:
    """What a file's name ends with. Parquet compresses within itself, so that its name does not say it."""
    return f".{format_}" + ("" if format_ == "parquet" else _ENDINGS[compression])


def encoded(batch: Batch, *, format_: str, compression: str, delimiter: str = "comma") -> bytes:
    """One row for each digest: operation, kind, and the digest in lower-case hexadecimal."""
    if format_ == "ndjson":
        return _compressed(_lines(batch), compression)
    sink = io.BytesIO()
    if format_ == "parquet":
        pq.write_table(_table(batch), sink, compression=compression)
        return sink.getvalue()
    options = pc.WriteOptions(delimiter=DELIMITERS[delimiter], quoting_style="none")
    pc.write_csv(_table(batch), sink, options)
    return _compressed(_without_quotes(sink.getvalue()), compression)


def _table(batch: Batch) -> pa.Table:
    count = len(batch.digests)
    offsets = pa.array(range(0, _HEX_DIGITS * (count + 1), _HEX_DIGITS), pa.int32())
    digits = pa.py_buffer(hexlify(batch.digests.bytes))
    return pa.table(
        {
            "operation": pa.repeat(str(batch.operation), count),
            "kind": pa.repeat(batch.kind, count),
            "digest": pa.StringArray.from_buffers(count, offsets.buffers()[1], digits),
        }
    )


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
