"""What an execution works with: the rooms below, opened once for a workspace."""

from __future__ import annotations

from dataclasses import dataclass

from cdp_core.model.configuration import Export
from cdp_core.model.policy import MemberConsent
from cdp_core.pipeline.seal import Seal
from cdp_core.plugins.catalog import Catalog
from cdp_core.rules.member_consent import in_force
from cdp_core.runner.connect import Connector
from cdp_core.runner.consents import ConsentDesk
from cdp_core.runner.ledger_store import LedgerStore
from cdp_core.runner.profiles import Profiles
from cdp_core.store.state import State
from cdp_core.workspace import Workspace


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    workspace: Workspace
    state: State
    catalog: Catalog
    connector: Connector
    consents: ConsentDesk
    profiles: Profiles
    seal: Seal
    ledgers: LedgerStore

    def member_consent(self, export: Export) -> MemberConsent | None:
        """What every row is asked for: the export's own, else the workspace's.

        Raises `InvalidFault` where the export asks for less than the workspace.
        """
        return in_force(
            export.policy.consent, self.workspace.settings.consent, where=f"export {export.name!r}"
        )
