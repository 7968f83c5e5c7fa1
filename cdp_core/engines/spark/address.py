"""`spark://MASTER#CATALOG.SCHEMA.TABLE`: which Spark does the work, and what to read there."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from cdp_core.errors import Code, InvalidFault, UsageFault
from cdp_core.model.configuration import ProfileSource

SCHEME = "spark://"
STAGING = "staging"

_HINT = (
    "write 'spark://host:7077#catalog.schema.table', 'spark://local[2]#…', 'spark://yarn#…', or 'spark://#…' "
    "for the master of Spark's own configuration"
)
_LOCAL = re.compile(r"local(?:\[(?:\*|[0-9]+)(?:,[0-9]+)?\])?")
_HOSTS = re.compile(r"(?:[\w.-]+|\[[0-9A-Fa-f:]+\]):[0-9]+(?:,(?:[\w.-]+|\[[0-9A-Fa-f:]+\]):[0-9]+)*")
# What Spark itself takes for a secret in its settings (`spark.redaction.regex`), and what clouds call one.
_SECRET = re.compile(r"secret|password|token|access[.]?key|account[.]key", re.I)


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """`master` is Spark's name of who does the work; None leaves it to Spark's own configuration. `table` is
    a name as Spark SQL takes it after FROM. `settings` are Spark's own, and go to it as they are."""

    master: str | None
    table: str
    staging: str | None = None
    settings: dict[str, str] = field(default_factory=dict)


def url_of(text: str) -> str:
    """The URL that `--engine spark --profiles TEXT` means: a table's name alone leaves the master open."""
    return text if text.startswith(SCHEME) else f"{SCHEME}#{text}"


def address_of(source: ProfileSource) -> Address:
    """Raises `InvalidFault` where the URL names no table or no master, or an option means nothing here, and
    `UsageFault` for an option that looks like a secret, which it does not repeat."""
    master, _, table = source.url.removeprefix(SCHEME).partition("#")
    if not table.strip():
        raise InvalidFault(
            Code.PROFILES_UNREADABLE,
            "the URL does not say which table holds the profiles",
            where=source.url,
            hint="name it after a #, in quotes for the shell: 'spark://host:7077#catalog.schema.table', or a "
            "folder: 'spark://host:7077#parquet.`/data/customers`'",
        )
    settings = {name: text for name, text in source.options.items() if name.startswith("spark.")}
    _check(source, settings)
    return Address(
        master=_master(master, source.url),
        table=table.strip(),
        staging=source.options.get(STAGING),
        settings=settings,
    )


def is_local(master: str) -> bool:
    """Whether everything happens on this machine, in one process of Java."""
    return bool(_LOCAL.fullmatch(master))


def hosts_of(master: str) -> list[tuple[str, int]]:
    """(host, port) of each of a Spark cluster's own masters; empty for other kinds of cluster."""
    if not master.startswith(SCHEME):
        return []
    parts = [each.rpartition(":") for each in master.removeprefix(SCHEME).split(",")]
    return [(host.strip("[]"), int(port)) for host, _, port in parts]


def _master(text: str, url: str) -> str | None:
    if not text:
        return None
    if is_local(text) or text == "yarn" or text.startswith("k8s://"):
        return text
    if _HOSTS.fullmatch(text):
        return f"{SCHEME}{text}"
    raise InvalidFault(
        Code.PROFILES_UNREADABLE,
        f"{text!r} is no Spark master: a host needs its port",
        where=url,
        hint=_HINT,
    )


def _check(source: ProfileSource, settings: dict[str, str]) -> None:
    secrets = sorted(name for name in settings if _SECRET.search(name))
    if secrets:
        raise UsageFault(
            Code.SECRET_ON_COMMAND_LINE,
            f"a secret does not belong in an option ({', '.join(secrets)}): it would stay in the shell's "
            "history, in cdp.toml and in the audit log",
            where="the profiles' options",
            hint="keep it where Spark looks for it: conf/spark-defaults.conf, a credential provider, or the "
            "cloud's own environment variables. If it was one, change it",
        )
    unknown = sorted(set(source.options) - set(settings) - {STAGING})
    if unknown:
        raise InvalidFault(
            Code.SETTING_INVALID,
            f"a Spark source has no option {', '.join(map(repr, unknown))}",
            where=source.url,
            hint="options are `staging` and Spark's own settings, as spark.executor.memory=4g",
        )
