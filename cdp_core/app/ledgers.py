"""Ledgers: what audiences hold. Look at one, rebuild it from receipts, or give it up."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from typing import Any

from cdp_core.app.desk import Desk, act
from cdp_core.app.workspace_views import LedgerView, MendedLedger, MovedLedgers, ResealedLedgers
from cdp_core.errors import CdpError, Code, InvalidFault, UsageFault
from cdp_core.model.access import Action, Resource
from cdp_core.model.delivery import AudienceKey
from cdp_core.pipeline import ledger
from cdp_core.pipeline.seal import Seal
from cdp_core.runner.connect import Connector
from cdp_core.runner.ledger_store import LedgerStore
from cdp_core.runner.mending import LostRun, Mending, claims
from cdp_core.runner.resealing import Resealing
from cdp_core.runner.stores import store_at, store_of
from cdp_core.vault.ledger_key import ledger_key, make_ledger_key
from cdp_core.vault.vault import Vault
from cdp_core.workspace import Workspace
from cdp_core.workspace.ledger_url import FORM, normal, trouble_with_options, trouble_with_url
from cdp_core.workspace.workspace import LEDGER_VARIABLE


class Ledgers:
    """`name` is that of an export, or the id of an audience, throughout."""

    def __init__(
        self,
        desk: Desk,
        *,
        workspace: Workspace,
        connector: Connector,
        vault: Vault,
        seal: Seal,
        store: LedgerStore,
    ) -> None:
        self.desk = desk
        self._workspace = workspace
        self._connector = connector
        self._vault = vault
        self._seal = seal
        self._store = store

    def resource(self, name: str, arguments: Mapping[str, Any]) -> Resource:
        return Resource(kind="ledger", name=name)

    @act(Action.LEDGER_SHOW)
    def show(self, name: str) -> LedgerView:
        """An audience's claims, export by export, and what is wrong with its files."""
        audience = self._audience(name)
        version = self.desk.state.ledgers.current(audience)
        names = {export.id: export.name for export in self.desk.state.exports.all()}
        held: dict[str, dict[str, int]] = {}
        for (export_id, kind), found in ledger.count(version.files).items():
            held.setdefault(names.get(export_id) or self._name_then(export_id), {})[kind] = found
        differing = tuple(f"{path}: {trouble}" for path, trouble in self._store.differing(version.files))
        return LedgerView(
            audience=str(audience),
            place=self._store.where,
            claims=held,
            files=len(version.files),
            encrypted=ledger.encrypted(self._store.folder, version.files),
            differing=differing,
            strangers=self._store.strangers(),
        )

    @act(Action.LEDGER_REBUILD)
    def rebuild(self, name: str, *, accept_losses: bool = False) -> MendedLedger:
        """Make the ledger anew from the plans and receipts of its runs.

        Raises `UsageFault` where a plan is gone, unless the losses are accepted: what its run has added
        stays in the audience then, and no later run takes it out.
        """
        audience = self._audience(name)
        mending = self._mending(audience)
        with mending.under_lease(), mending.replayed() as found:
            before = claims(self.desk.state.ledgers.current(audience).files)
            if found.lost and not accept_losses:
                raise UsageFault(
                    Code.NOT_AGREED_TO_ACT,
                    f"the receipts do not tell everything: {'; '.join(map(_told, found.lost))}",
                    where=str(audience),
                    hint="restore the plans from a backup, or add --yes: what these runs have added is sent "
                    "again where it is wanted, and stays in the audience where it is not",
                )
            aside = mending.take(found)
        self.desk.note(before=before, after=claims(found.files), lost=[lost.run for lost in found.lost])
        return MendedLedger(
            audience=str(audience),
            runs=found.runs,
            before=before,
            after=claims(found.files),
            lost=tuple(map(_told, found.lost)),
            aside=aside.folder if aside.files else None,
            moved=aside.files,
        )

    @act(Action.LEDGER_RESET)
    def reset(self, name: str) -> MendedLedger:
        """Forget what the audience holds: the next run sends everybody, and takes nobody out."""
        audience = self._audience(name)
        mending = self._mending(audience)
        with mending.under_lease():
            before = claims(self.desk.state.ledgers.current(audience).files)
            aside = mending.give_up()
        self.desk.note(before=before, after=0)
        return MendedLedger(
            audience=str(audience),
            runs=0,
            before=before,
            after=0,
            aside=aside.folder if aside.files else None,
            moved=aside.files,
        )

    @act(Action.LEDGER_ENCRYPT)
    def encrypt(self, *, progress: Callable[[str], None] = lambda audience: None) -> ResealedLedgers:
        """Encrypt every ledger and plan, and all that come. A vault that has no key for it gets one."""
        make_ledger_key(self._vault)
        return self._written_anew(encrypted=True, progress=progress)

    @act(Action.LEDGER_DECRYPT)
    def decrypt(self, *, progress: Callable[[str], None] = lambda audience: None) -> ResealedLedgers:
        """Write every ledger and plan in the clear, and all that come; the key stays in the vault."""
        return self._written_anew(encrypted=False, progress=progress)

    @act(Action.LEDGER_MOVE)
    def move(
        self,
        to: str | None,
        *,
        options: Mapping[str, str] | None = None,
        progress: Callable[[str], None] = lambda audience: None,
    ) -> MovedLedgers:
        """Copy every ledger and plan to a URL, or into the workspace (None), read them back, and keep them
        there from now on. What lies at the old place stays there. `options` by default are those so far."""
        settings = self._workspace.settings
        given = settings.ledger_options if options is None else options
        url = ledger_place(to, given, or_else=", or workspace")
        named = os.environ.get(LEDGER_VARIABLE)
        if named and url != settings.ledger_url:
            raise UsageFault(
                Code.USAGE,
                f"{LEDGER_VARIABLE} says where the ledgers lie, and goes before cdp.toml",
                where=LEDGER_VARIABLE,
                hint=f"unset {LEDGER_VARIABLE}, name its place in cdp.toml ([ledger] url), then move them",
            )
        kept = given if url is not None else {}
        from cdp_core.runner.moving import Moving

        new = store_at(
            url,
            kept,
            workspace=self._workspace,
            state=self.desk.state,
            seal=self._seal,
            vault=self._vault,
        )
        moving = Moving(self._workspace, self.desk.state, self.desk.actor, old=self._store, new=new)
        done = moving.all(self._audiences(), url=url, options=kept, progress=progress)
        self.desk.note(place=new.where, files=done.files, plans=done.plans, lost=done.lost)
        return MovedLedgers(
            place=new.where,
            before=self._store.where,
            files=done.files,
            plans=done.plans,
            lost=done.lost,
        )

    def _audiences(self) -> Iterator[AudienceKey]:
        """Those of exports whose audience can be named."""
        for export in self.desk.state.exports.all():
            if export.connection_id is not None:
                with suppress(CdpError):
                    yield self._connector.audience_of(export)

    def _written_anew(self, *, encrypted: bool, progress: Callable[[str], None]) -> ResealedLedgers:
        # First of all, so that a run which begins meanwhile writes no more of the old form.
        self._workspace.edit({"ledger": {"encrypted": encrypted}})
        seal = Seal(lambda: ledger_key(self._vault), encrypts=encrypted)
        store = store_of(self._workspace, self.desk.state, seal, self._vault)
        resealing = Resealing(self._workspace, self.desk.state, seal, store, self.desk.actor)
        done = resealing.all(lambda audience: progress(str(audience)))
        self.desk.note(files=done.files, plans=done.plans, spoilt=done.spoilt)
        aside = self._workspace.aside_folder
        return ResealedLedgers(
            encrypted=encrypted,
            files=done.files,
            plans=done.plans,
            spoilt=done.spoilt,
            aside=str(aside) if aside.is_dir() and any(aside.iterdir()) else None,
        )

    def _mending(self, audience: AudienceKey) -> Mending:
        return Mending(
            workspace=self._workspace,
            state=self.desk.state,
            seal=self._seal,
            store=self._store,
            audience=audience,
            actor=self.desk.actor,
        )

    def _audience(self, name: str) -> AudienceKey:
        state = self.desk.state
        export = next((export for export in state.exports.all() if export.name == name), None)
        if export is not None and export.connection_id is not None:
            return self._connector.audience_of(export)
        known = [version.audience for version in state.ledgers.all()]
        found = [audience for audience in known if name in (audience.audience_id, str(audience))]
        if len(found) == 1:
            return found[0]
        if found:
            raise InvalidFault(
                Code.NOT_FOUND,
                f"there are {len(found)} audiences {name!r}",
                hint="name one of them in full: " + "; ".join(f'"{audience}"' for audience in found),
            )
        raise InvalidFault(
            Code.NOT_FOUND,
            f"there is no export with a connection, and no audience with a ledger, of the name {name!r}",
            hint="audiences: " + ("; ".join(audience.audience_id for audience in known) or "none yet"),
        )

    def _name_then(self, export_id: str) -> str:
        """Of an export that was removed, its last run's name for it."""
        last = next(iter(self.desk.state.runs.of_export(export_id, 1)), None)
        return f"{last.export_name} (removed)" if last else "an export that was removed"


def ledger_place(url: str | None, options: Mapping[str, str], *, or_else: str = "") -> str | None:
    """The URL as it is kept; raises `UsageFault` where it is none, or where it or an option is a secret.
    `or_else` is what may stand there beside a URL."""
    trouble = (trouble_with_url(url) if url is not None else None) or trouble_with_options(options)
    if trouble:
        secret = "password" in trouble or "secret" in trouble
        raise UsageFault(
            Code.SECRET_ON_COMMAND_LINE if secret else Code.USAGE,
            trouble[0].lower() + trouble[1:].removesuffix("."),
            hint=f"the form is {FORM}{or_else}; credentials come from the provider's own environment, "
            "profile or role",
        )
    return normal(url) if url is not None else None


def _told(lost: LostRun) -> str:
    if lost.purged:
        return f"runs were purged ({lost.run}), which added {lost.added:,} and removed {lost.removed:,}"
    return f"the plan of run {lost.run} is gone, which added {lost.added:,} and removed {lost.removed:,}"
