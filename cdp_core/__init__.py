"""The contract between the audience exporter and its plugins, and nothing else.

A destination in four steps: write a settings schema, a `ConnectionType`, a `Destination`, and a module
with `@hookimpl` functions that register them; name the module in the entry point group `cdp`:

```toml
[project.entry-points.cdp]
acme = "cdp_acme.plugin"
```

`cdp plugins list` then shows it. `cdp new-destination acme` writes all of it, with a stand-in and tests.
Every hook, with an example that can be pasted, is in `cdp_core.contract.hookspecs`, and on the page
`docs/reference/hooks.md`.
"""

from __future__ import annotations

# Before `cdp` can say how it was interrupted, nothing is imported that takes time.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from cdp_core.contract.connection import Choice as Choice
    from cdp_core.contract.connection import (
        ConnectionType as ConnectionType,
    )
    from cdp_core.contract.connection import (
        OAuth2 as OAuth2,
    )
    from cdp_core.contract.connection import (
        ServiceIdentity as ServiceIdentity,
    )
    from cdp_core.contract.connection import (
        SignInFault as SignInFault,
    )
    from cdp_core.contract.connection import (
        Token as Token,
    )
    from cdp_core.contract.credentials import ApiKey as ApiKey
    from cdp_core.contract.credentials import BasicAuth as BasicAuth
    from cdp_core.contract.credentials import BearerToken as BearerToken
    from cdp_core.contract.credentials import ClientCredentials as ClientCredentials
    from cdp_core.contract.credentials import Credentials as Credentials
    from cdp_core.contract.deprecation import Deprecation as Deprecation
    from cdp_core.contract.destination import (
        Batch as Batch,
    )
    from cdp_core.contract.destination import (
        Capabilities as Capabilities,
    )
    from cdp_core.contract.destination import (
        ConnectionContext as ConnectionContext,
    )
    from cdp_core.contract.destination import (
        Delivering as Delivering,
    )
    from cdp_core.contract.destination import (
        Destination as Destination,
    )
    from cdp_core.contract.destination import (
        DestinationContext as DestinationContext,
    )
    from cdp_core.contract.destination import (
        DestinationSpec as DestinationSpec,
    )
    from cdp_core.contract.destination import (
        MatchingRule as MatchingRule,
    )
    from cdp_core.contract.destination import (
        NewAudience as NewAudience,
    )
    from cdp_core.contract.destination import (
        Rate as Rate,
    )
    from cdp_core.contract.digests import DigestBlock as DigestBlock
    from cdp_core.contract.faults import (
        AudienceGone as AudienceGone,
    )
    from cdp_core.contract.faults import (
        CredentialsRejected as CredentialsRejected,
    )
    from cdp_core.contract.faults import (
        DestinationFault as DestinationFault,
    )
    from cdp_core.contract.faults import (
        NeverSent as NeverSent,
    )
    from cdp_core.contract.faults import (
        RightsRefused as RightsRefused,
    )
    from cdp_core.contract.faults import (
        ServiceFailed as ServiceFailed,
    )
    from cdp_core.contract.faults import (
        Throttled as Throttled,
    )
    from cdp_core.contract.faults import (
        Unanswered as Unanswered,
    )
    from cdp_core.contract.hookspecs import hookimpl as hookimpl
    from cdp_core.contract.identifiers import Identified as Identified
    from cdp_core.contract.identifiers import IdentifierKind as IdentifierKind
    from cdp_core.contract.lost import in_words as in_words
    from cdp_core.contract.lost import lost_on_the_way as lost_on_the_way
    from cdp_core.contract.schemas import (
        SecretField as SecretField,
    )
    from cdp_core.contract.schemas import (
        ServiceUrl as ServiceUrl,
    )
    from cdp_core.contract.schemas import (
        SettingsSchema as SettingsSchema,
    )
    from cdp_core.contract.schemas import (
        is_loopback as is_loopback,
    )
    from cdp_core.contract.schemas import (
        origin_of as origin_of,
    )
    from cdp_core.contract.source import (
        DigestSink as DigestSink,
    )
    from cdp_core.contract.source import (
        Engine as Engine,
    )
    from cdp_core.contract.source import (
        EngineContext as EngineContext,
    )
    from cdp_core.contract.source import (
        Examination as Examination,
    )
    from cdp_core.contract.source import (
        KeptKeys as KeptKeys,
    )
    from cdp_core.contract.source import (
        KeyFound as KeyFound,
    )
    from cdp_core.contract.source import (
        RowsFound as RowsFound,
    )
    from cdp_core.contract.source import (
        Selected as Selected,
    )
    from cdp_core.contract.source import (
        Selection as Selection,
    )
    from cdp_core.contract.source import (
        SourceSpec as SourceSpec,
    )
    from cdp_core.contract.spreadsheets import without_formulas as without_formulas
    from cdp_core.contract.transport import Transport as Transport
    from cdp_core.contract.transport import TransportSettings as TransportSettings
    from cdp_core.contract.waiting import retry_after as retry_after
    from cdp_core.contract.wording import quoted as quoted
    from cdp_core.errors import Code as Code
    from cdp_core.errors import InvalidFault as InvalidFault
    from cdp_core.model.access import (
        Action as Action,
    )
    from cdp_core.model.access import (
        Actor as Actor,
    )
    from cdp_core.model.access import (
        Opinion as Opinion,
    )
    from cdp_core.model.access import (
        Resource as Resource,
    )
    from cdp_core.model.access import (
        Role as Role,
    )
    from cdp_core.model.accounting import Reason as Reason
    from cdp_core.model.configuration import (
        Column as Column,
    )
    from cdp_core.model.configuration import (
        ConsentPrompt as ConsentPrompt,
    )
    from cdp_core.model.configuration import (
        Match as Match,
    )
    from cdp_core.model.configuration import (
        ProfileSource as ProfileSource,
    )
    from cdp_core.model.configuration import (
        Segment as Segment,
    )
    from cdp_core.model.delivery import Audience as Audience
    from cdp_core.model.delivery import Operation as Operation
    from cdp_core.model.delivery import Receipt as Receipt
    from cdp_core.model.examination import FieldExamined as FieldExamined
    from cdp_core.model.examination import Remark as Remark
    from cdp_core.model.policy import ChosenField as ChosenField
    from cdp_core.model.policy import MemberConsent as MemberConsent
    from cdp_core.model.policy import Region as Region
    from cdp_core.model.run import RunEvent as RunEvent
    from cdp_core.model.run import Station as Station
    from cdp_core.model.secret import Secret as Secret
    from cdp_core.model.sentence import Sentence as Sentence
    from cdp_core.rules.identifiers.masking import masked as masked
    from cdp_core.rules.member_consent import says_yes as says_yes
    from cdp_core.rules.records import record_of as record_of

# Names are looked up when they are first used: `cdp --help` must not pay for marshmallow and pluggy.
_HOMES = {
    "cdp_core.contract.connection": (
        "Choice",
        "ConnectionType",
        "OAuth2",
        "ServiceIdentity",
        "SignInFault",
        "Token",
    ),
    "cdp_core.contract.credentials": (
        "ApiKey",
        "BasicAuth",
        "BearerToken",
        "ClientCredentials",
        "Credentials",
    ),
    "cdp_core.contract.deprecation": ("Deprecation",),
    "cdp_core.contract.destination": (
        "Batch",
        "Capabilities",
        "ConnectionContext",
        "Delivering",
        "Destination",
        "DestinationContext",
        "DestinationSpec",
        "MatchingRule",
        "NewAudience",
        "Rate",
    ),
    "cdp_core.contract.digests": ("DigestBlock",),
    "cdp_core.contract.faults": (
        "AudienceGone",
        "CredentialsRejected",
        "DestinationFault",
        "NeverSent",
        "RightsRefused",
        "ServiceFailed",
        "Throttled",
        "Unanswered",
    ),
    "cdp_core.contract.hookspecs": ("hookimpl",),
    "cdp_core.contract.identifiers": ("Identified", "IdentifierKind"),
    "cdp_core.contract.lost": ("in_words", "lost_on_the_way"),
    "cdp_core.contract.schemas": ("SecretField", "ServiceUrl", "SettingsSchema", "is_loopback", "origin_of"),
    "cdp_core.contract.source": (
        "DigestSink",
        "Engine",
        "EngineContext",
        "Examination",
        "KeptKeys",
        "KeyFound",
        "RowsFound",
        "Selected",
        "Selection",
        "SourceSpec",
    ),
    "cdp_core.contract.spreadsheets": ("without_formulas",),
    "cdp_core.contract.transport": ("Transport", "TransportSettings"),
    "cdp_core.contract.waiting": ("retry_after",),
    "cdp_core.contract.wording": ("quoted",),
    "cdp_core.errors": ("Code", "InvalidFault"),
    "cdp_core.model.access": ("Action", "Actor", "Opinion", "Resource", "Role"),
    "cdp_core.model.accounting": ("Reason",),
    "cdp_core.model.configuration": ("Column", "ConsentPrompt", "Match", "ProfileSource", "Segment"),
    "cdp_core.model.delivery": ("Audience", "Operation", "Receipt"),
    "cdp_core.model.examination": ("FieldExamined", "Remark"),
    "cdp_core.model.policy": ("ChosenField", "MemberConsent", "Region"),
    "cdp_core.model.run": ("RunEvent", "Station"),
    "cdp_core.model.secret": ("Secret",),
    "cdp_core.model.sentence": ("Sentence",),
    "cdp_core.rules.identifiers.masking": ("masked",),
    "cdp_core.rules.member_consent": ("says_yes",),
    "cdp_core.rules.records": ("record_of",),
}

_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = sorted(_HOME_OF)  # noqa: PLE0605 (the table above is the list)


def __getattr__(name: str) -> object:
    home = _HOME_OF.get(name)
    if home is None:
        raise AttributeError(f"cdp_core has no public name {name!r}")
    import importlib

    from cdp_core.contract.deprecation import warn_of_name

    warn_of_name(__name__, name)
    return getattr(importlib.import_module(home), name)


def __dir__() -> list[str]:
    return list(__all__)
