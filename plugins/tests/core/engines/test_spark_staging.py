"""What was staged at a URL is read from there: on a real S3 server, as Spark's own writer leaves it."""

from __future__ import annotations

import io

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cdp_core.engines.spark.staging import Staging, staging_at
from s3_server import Bucket, bucket, s3  # noqa: F401 - fixtures


@pytest.mark.parametrize(
    ("ledgers", "staging"),
    [
        ("s3://bucket/prefix", "s3a://bucket/prefix"),
        ("gs://bucket/prefix", "gs://bucket/prefix"),
        (
            "abfss://container@account.dfs.core.windows.net/p",
            "abfss://container@account.dfs.core.windows.net/p",
        ),
        ("file:///mnt/shared/ledgers", "file:///mnt/shared/ledgers"),
        ("abfs://container/prefix", None),
        ("sftp://team@host/ledgers", None),
    ],
)
def test_a_url_of_ledgers_as_spark_and_arrow_read_it(ledgers: str, staging: str | None) -> None:
    assert staging_at(ledgers) == staging


def test_what_lies_in_a_bucket_is_read_and_removed(
    bucket: Bucket,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in bucket.environ.items():
        monkeypatch.setenv(name, value)
    place = staging_at(f"s3://{bucket.name}/prefix/staging")
    assert place is not None
    staging = Staging(place)
    folder = staging.fresh().removeprefix(f"s3a://{bucket.name}/")
    row = ("EMAIL", 0, 1, b"d" * 32)
    written = io.BytesIO()
    columns = {name: [value] for name, value in zip("abcd", row, strict=True)}
    pq.write_table(pa.table(columns), written)
    bucket.client.put_object(Bucket=bucket.name, Key=f"{folder}/part-0.parquet", Body=written.getvalue())
    bucket.client.put_object(Bucket=bucket.name, Key=f"{folder}/_SUCCESS", Body=b"")
    assert list(staging.read(1)) == [row]
    staging.remove()
    left = bucket.client.list_objects_v2(Bucket=bucket.name, Prefix=folder)
    assert not [each["Key"] for each in left.get("Contents", ()) if each["Key"].endswith(".parquet")]
