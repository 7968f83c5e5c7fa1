"""JSON, in one place: a value of the facade becomes one document on standard output."""

from __future__ import annotations

import dataclasses
import json
import re
import sys
from collections.abc import Mapping
from datetime import datetime
from enum import Enum
from typing import TYPE_CHECKING, Any

from cdp_core.errors import CdpError
from cdp_core.model.delivery import Audience

if TYPE_CHECKING:
    from cdp_core.app.run_views import RunReport

# json leaves these as they are; on a terminal they would act, and lone surrogates cannot be encoded.
_DISTURBING = re.compile("[\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]")


def plain_value(value: Any) -> Any:
    """A value in JSON's own types: dataclasses by their fields, moments in ISO 8601, sets sorted."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {
            field.name: plain_value(getattr(value, field.name))
            for field in dataclasses.fields(value)
            if not field.metadata.get("shown_only")
        }
    if isinstance(value, Mapping):
        return {str(key): plain_value(inner) for key, inner in value.items()}
    if isinstance(value, frozenset | set):
        return sorted(plain_value(inner) for inner in value)
    if isinstance(value, list | tuple):
        return [plain_value(inner) for inner in value]
    return _scalar(value)


def _scalar(value: Any) -> Any:
    if isinstance(value, Enum):
        return plain_value(value.value)
    if isinstance(value, datetime):
        return value.isoformat()
    if value is None or isinstance(value, bool | int | float | str):
        return value
    return str(value)


def text_of(value: Any) -> str:
    document = json.dumps(plain_value(value), ensure_ascii=False, indent=2, allow_nan=False)
    return _DISTURBING.sub(lambda found: f"\\u{ord(found[0]):04x}", document)


def print_document(value: Any) -> None:
    """Write the one document; a stream that cannot write every letter gets them escaped."""
    text = text_of(value)
    try:
        text.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        text = json.dumps(json.loads(text), indent=2)
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def report_document(report: RunReport) -> dict[str, Any]:
    """What `export run --json` and `export plan --json` print; `export history --json` lists them."""
    run = report.run
    return {
        "run": run.id,
        "export": run.export_name,
        "status": str(run.status),
        "dry_run": run.dry_run,
        "mode": report.mode,
        "kinds": {kind: counts.as_dict() for kind, counts in run.kinds.items()},
        "delivered": run.delivered.as_dict(),
        "audience": _audience(run.audience),
        "seconds": round(run.seconds, 3),
        "resumed_from": run.resumed_from,
        "profiles": run.profiles,
        "members": run.members,
        "plan": run.plan_id,
        "plan_folder": report.plan_folder,
        "actor": run.actor,
        "started_at": plain_value(run.started_at),
        "ended_at": plain_value(run.ended_at),
        "gates": [
            {"gate": each.gate, "verdict": each.verdict, "message": each.message, "flag": each.gate.flag}
            for each in report.gates
        ],
        "notes": list(report.notes),
        "error": {
            "code": run.error_code,
            "message": run.error,
            "where": f"run {run.id} of export {run.export_name}",
            "hint": run.error_hint or "",
        }
        if run.error_code
        else None,
    }


def _audience(audience: Audience | None) -> dict[str, Any] | None:
    if audience is None:
        return None
    return {
        "id": audience.id,
        "name": audience.name or None,
        "upload_status": audience.upload_status,
        "targetable_status": audience.targetable_status,
        "approximate_number_users": audience.approximate_number_users,
    }


def error_document(fault: CdpError) -> dict[str, Any]:
    return {
        "error": {
            "code": str(fault.code),
            "message": fault.message,
            "where": fault.where,
            "hint": fault.hint,
            "exit_status": int(fault.exit_status),
        }
    }
