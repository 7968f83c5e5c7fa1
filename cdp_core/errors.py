"""Every way in which the framework can stop, grouped by what the one who runs it must do about it.

The group decides the exit status; the code names the very fault, is stable, and is listed in
`docs/reference/errors.md`. A code is its exit status times a hundred and a running number, so that
`CDP-502` is recognised at sight as exit 5.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum, IntEnum
from typing import ClassVar


class ExitStatus(IntEnum):
    """What the process returns; documented in `docs/reference/errors.md`."""

    DONE = 0
    USAGE = 2
    INVALID = 3
    NOT_ALLOWED = 4
    CONSENT_MISSING = 5
    RECONNECT = 6
    GATE = 7
    REFUSALS = 8
    TEMPORARY = 9
    HELD = 10
    FAULT = 70

    @property
    def meaning(self) -> str:
        return _MEANINGS[self]

    @classmethod
    def worst(cls, statuses: Iterable[ExitStatus]) -> ExitStatus:
        """Of several runs' statuses the one that asks for most; done where there are none."""
        return max(statuses, key=_BY_WEIGHT.index, default=cls.DONE)


_MEANINGS = {
    ExitStatus.DONE: "done",
    ExitStatus.USAGE: "usage: the command line is wrong",
    ExitStatus.INVALID: "configuration or data invalid",
    ExitStatus.NOT_ALLOWED: "not allowed for this person",
    ExitStatus.CONSENT_MISSING: "consent missing",
    ExitStatus.RECONNECT: "credentials refused: reconnect",
    ExitStatus.GATE: "stopped by a gate",
    ExitStatus.REFUSALS: "done, with refusals",
    ExitStatus.TEMPORARY: "temporary failure: run again",
    ExitStatus.HELD: "another run holds the audience",
    ExitStatus.FAULT: "a fault of ours",
}


_BY_WEIGHT = (
    ExitStatus.DONE,
    ExitStatus.REFUSALS,
    ExitStatus.HELD,
    ExitStatus.TEMPORARY,
    ExitStatus.GATE,
    ExitStatus.USAGE,
    ExitStatus.INVALID,
    ExitStatus.RECONNECT,
    ExitStatus.CONSENT_MISSING,
    ExitStatus.NOT_ALLOWED,
    ExitStatus.FAULT,
)


class Code(Enum):
    """(number, title) of each fault; the number's hundreds are the exit status."""

    MISSING_VALUE = (201, "A value is missing and there is no terminal to ask on")
    SECRET_ON_COMMAND_LINE = (202, "A secret was given literally instead of by reference")
    USAGE = (203, "The command line is wrong")
    NOT_AGREED_TO_ACT = (204, "The act needs a yes, and there is no terminal to ask on")

    WORKSPACE_MISSING = (301, "There is no workspace here")
    WORKSPACE_EXISTS = (302, "The workspace exists already")
    WORKSPACE_BROKEN = (303, "A file of the workspace cannot be read, or is not what it should be")
    PROFILES_UNREADABLE = (304, "The profile source cannot be read")
    KEY_MISSING = (305, "The key column is not in the profile source")
    SEGMENT_INVALID = (306, "The segment's query is not valid or not allowed")
    FIELD_MISSING = (307, "A matched profile field is not in the profile source")
    SETTING_INVALID = (308, "A setting is missing, unknown or not valid")
    NAME_TAKEN = (309, "The name is in use")
    NOT_FOUND = (310, "There is nothing of that name")
    IN_USE = (311, "Something else depends on it")
    SECRET_UNREADABLE = (312, "The reference to a secret leads nowhere")
    MATCHING_INVALID = (313, "The data matching does not fit the destination")
    NO_CONNECTION = (314, "The export has no connection")
    AUDIENCE_GONE = (315, "The service does not know the audience")
    AUDIENCE_UNFIT = (316, "The audience cannot take members, or cannot be made")
    PLUGIN_UNKNOWN = (317, "No plugin provides that")
    VAULT_LOCKED = (318, "The vault cannot be opened")
    STATE_NEWER = (319, "The state was written by a newer version")
    DISK_FULL = (320, "The disk is full or not writable")
    PLAN_UNKNOWN = (321, "There is no such plan, or it cannot be run")
    SEGMENT_RESULT_LOST = (323, "The result that a static segment keeps is missing or not what was kept")
    NAME_INVALID = (322, "The name is not valid")
    PERSON_UNTOLD = (325, "What was given does not tell which person is meant")
    SCHEDULE_INVALID = (327, "The recurrence or its time zone is not valid")
    AUDIT_BROKEN = (329, "The audit log does not hold together: somebody has changed it")
    AUDIENCE_EXISTS = (328, "There is an audience of that name already")
    LIST_UNREADABLE = (326, "The list of persons cannot be read")
    STATE_REFUSED = (336, "The server that holds the state does not let cdp in, or lacks something")
    NOTHING_TO_CANCEL = (332, "No run of the export is under way or waiting")
    MODE_INVALID = (331, "The export's mode does not go with the destination, or with what was asked")
    LEDGER_PLACE_REFUSED = (340, "The ledgers' URL is not there, or does not let us in")
    LEDGER_PLACE_TAKEN = (341, "The ledgers' URL is another workspace's")
    NOTHING_TO_WITHDRAW = (345, "There is no consent to withdraw, and nothing was sent")
    CONFIG_UNREADABLE = (351, "The configuration file cannot be read")
    CONFIG_INVALID = (352, "The configuration file is not valid")
    CONFIG_FIXED = (353, "The configuration file changes what stays as it was made")
    PLUGIN_UNFIT = (361, "The plugin does not fit this version, or would break who has set it up")

    NOT_ALLOWED = (401, "The person's role does not allow it")
    REAL_PERSON_NEEDED = (402, "The act needs the real person, not one acted as")
    EXPORT_USER_MISSING = (406, "The connection has no export user for runs that nobody starts")
    LAST_ADMINISTRATOR = (403, "The last Administrator cannot be removed")
    ANOTHER_PERSON_NEEDED = (407, "The plan needs the approval of somebody else")
    ACCESS_PLUGIN_BROKEN = (405, "A plugin that decides on access or consent cannot be loaded")

    CONSENT_MISSING = (501, "Nobody has agreed to the connection's consent texts")
    CONSENT_CHANGED = (502, "A consent text has changed since it was agreed to")
    CONSENT_WITHDRAWN = (503, "Somebody has withdrawn the consent that a connection stands on")

    NOT_CONNECTED = (601, "The connection has not been signed in")
    RECONNECT = (602, "The service does not accept the connection's credentials any more")
    RIGHTS_REFUSED = (603, "The signed-in user lacks rights at the service")
    SIGN_IN_DENIED = (604, "The sign-in was denied")
    SIGN_IN_STATE = (605, "The sign-in's answer does not belong to this request")
    SIGN_IN_TIMEOUT = (606, "Nobody signed in in time")
    SIGN_IN_REFUSED = (607, "The service refused the sign-in")
    CLIENT_REFUSED = (608, "The service does not accept the client that signs in")

    PROFILES_EMPTY = (701, "The profile source is empty")
    LEDGER_DIFFERS = (702, "A ledger file is missing or differs from what was committed")
    PLAN_DIFFERS = (703, "The plan's file is missing or differs from what was written")
    PLAN_STALE = (704, "What the plan stands on has changed since")
    MEMBERS_REMAIN = (705, "Members that were to be taken out are still in the audience")
    SHRINKS = (706, "The run would take out more of the audience than the export allows")
    AUDIENCE_SIZE = (707, "The audience would be smaller or larger than the service can use")
    DUPLICATE_KEYS = (708, "Several rows of the profile table have one key")
    SCHEMA_CHANGED = (709, "Profile fields that the export uses have changed since its last run")
    APPROVAL_AWAITED = (710, "The plan waits for somebody's approval")
    PLAN_REJECTED = (711, "Somebody has rejected the plan, or another plan has taken its place")
    PLAN_LAPSED = (712, "Nobody approved of the plan, or ran it, in time")
    AUDIENCE_SHARED = (713, "The audience cannot be emptied: another export has members there")

    NOT_EMPTIED = (801, "The service refused to empty the audience")

    LEDGER_SEALED = (714, "The ledger is encrypted, and its key is not at hand")

    SERVICE_UNREACHABLE = (901, "The service cannot be reached or does not answer")
    STATE_BUSY = (902, "The state database is busy")
    INTERRUPTED = (903, "The run was interrupted")
    CANCELED = (904, "Somebody canceled the run")
    LEDGER_PLACE_UNREACHABLE = (910, "The ledgers' URL cannot be reached or does not answer")
    LEDGER_MOVED = (911, "The ledgers were moved elsewhere while the command ran")

    AUDIENCE_HELD = (1001, "Another run holds the audience")

    UNBALANCED = (7001, "A run's sums do not balance")
    UNEXPECTED = (7002, "An unexpected fault")
    LEASE_LOST = (7003, "The run lost its lease on the audience")

    def __init__(self, number: int, title: str) -> None:
        self.number = number
        self.title = title

    def __str__(self) -> str:
        return f"CDP-{self.number}"

    @property
    def exit_status(self) -> ExitStatus:
        return ExitStatus(self.number // 100)


class CdpError(Exception):
    """A fault with its code, what happened, where, and how to mend it.

    `where` is a file and line, a field, a row count, a connection: whatever finds the place.
    `hint` is a sentence or a command to type. Neither may hold a secret or a raw identifier.
    """

    group: ClassVar[tuple[ExitStatus, ...]] = tuple(ExitStatus)

    def __init__(self, code: Code, message: str, *, where: str = "", hint: str = "") -> None:
        if code.exit_status not in self.group:
            raise ValueError(f"{code} is no {type(self).__name__}")
        super().__init__(message)
        self.code = code
        self.message = message
        self.where = where
        self.hint = hint

    @property
    def exit_status(self) -> ExitStatus:
        return self.code.exit_status

    def __str__(self) -> str:
        place = f" ({self.where})" if self.where else ""
        return f"{self.code}: {self.message}{place}"


class UsageFault(CdpError):
    """Type the command differently."""

    group = (ExitStatus.USAGE,)


class InvalidFault(CdpError):
    """Mend the configuration or the data."""

    group = (ExitStatus.INVALID,)


class NotAllowedFault(CdpError):
    """Ask an Administrator."""

    group = (ExitStatus.NOT_ALLOWED,)


class ConsentFault(CdpError):
    """Let an Administrator read and agree."""

    group = (ExitStatus.CONSENT_MISSING,)


class ReconnectFault(CdpError):
    """Sign in again, have rights granted at the service, or mend the client's id or secret."""

    group = (ExitStatus.RECONNECT,)


class GateFault(CdpError):
    """Look at the numbers, then mend the cause or say that it is meant."""

    group = (ExitStatus.GATE,)


class RefusedFault(CdpError):
    """Read the service's own words; what it took stays."""

    group = (ExitStatus.REFUSALS,)


class TemporaryFault(CdpError):
    """Run again."""

    group = (ExitStatus.TEMPORARY,)


class HeldFault(CdpError):
    """Wait for the other run."""

    group = (ExitStatus.HELD,)


class InternalFault(CdpError):
    """Report it: the fault is ours."""

    group = (ExitStatus.FAULT,)
