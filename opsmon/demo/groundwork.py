"""What the demo has of backups, drift, restores and acknowledgements: made by real operations on the simulated tenants, once
the screens are up.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from opsmon.services import Services
from store.errors import OpsmonError
from store.intune import backup_listing
from store.intune.restore_records import Scope
from store.model.records import Run, User
from store.runs import acknowledging, lifecycle, restoring
from store.search import matching
from store.search.filter import parse

#: What a colleague says of last night's failures.
NOTES: Final = ("known: the connector was down until 03:40", "CHG0041877, done again by hand", "")
#: What of fabrikam is backed up to be restored into contoso, where its groups are not known.
_FOREIGN: Final = ("configuration_policies", "device_configurations")
#: Policies of contoso that a person changes, and one more that is deleted.
_CHANGED: Final = 5
_KIND: Final = "device_configurations"
_PATH: Final = "/deviceManagement/deviceConfigurations"


@dataclass(frozen=True, slots=True)
class Groundwork:
    """Carries out one step after the other. `operator` works in both tenants, `manager` may restore into contoso."""

    services: Services
    operator: User
    manager: User

    def steps(self) -> Iterator[Run]:
        """Yield each run that was started; go on when it is completed. Raises OpsmonError if a step is not possible."""
        self._acknowledge()
        yield self._start(self.operator, "contoso", "directory_groups.sync")
        yield self._start(self.operator, "contoso", "policy.sync")
        before = self._start(self.manager, "contoso", "backup_set.create", name="Before the change of ring 1")
        yield before
        self._change(self._set_of(before))
        yield self._start(self.operator, "contoso", "policy.sync")
        yield self._start(self.manager, "contoso", "drift.generate")
        yield self._start(self.manager, "contoso", "backup_set.create", name="After the change of ring 1")
        yield from self._restores(self._set_of(before))

    def _restores(self, own_set: int) -> Iterator[Run]:
        """One that waits for its confirmation, and one that waits for a person who maps its groups."""
        scope = Scope(kinds=("scripts", "shell_scripts"))
        db = self.services.db
        planned = restoring.plan(db, self.manager, own_set, "contoso", scope, reason="scripts of ring 1, as they were")
        yield self.services.dispatcher.preview_restore(self.manager, planned.id).run
        foreign = self._start(self.operator, "fabrikam", "backup_set.create", name="For Contoso", kinds=list(_FOREIGN))
        yield foreign
        reason = "Fabrikam's baseline, for the merger"
        restoring.plan(db, self.manager, self._set_of(foreign), "contoso", Scope(), reason=reason)

    def _start(self, user: User, tenant: str, type_: str, **parameters: Any) -> Run:
        return self.services.dispatcher.start(user, tenant, type_, parameters).run

    def _set_of(self, run: Run) -> int:
        """The set that the completed run has made. Raises OpsmonError if it made none."""
        done = lifecycle.get(self.services.db, run.id)
        found = done.context.get("backup_set_id") if done and done.context else None
        if not isinstance(found, int):
            raise OpsmonError(f"run {run.id} made no backup set")
        return found

    def _acknowledge(self) -> None:
        """Acknowledge every other of last night's failures."""
        wanted = parse(["outcome:failed", "since:36h"])
        failed = matching.all_matching(self.services.db, self.operator.id, wanted, "Failed", 20).ids
        for note, run_id in zip(NOTES, failed[::2], strict=False):
            acknowledging.acknowledge(self.services.db, self.operator, [run_id], note)

    def _change(self, set_id: int) -> None:
        """Change some policies in the simulated tenant, as a person does in Intune's own console."""
        from tasks.graph.session import signed_in

        listed = backup_listing.all_items(self.services.db, set_id, _KIND)
        settings = self.services.settings
        where = settings.graph_url, settings.graph_authority
        with signed_in("contoso", settings.credentials, *where) as graph:
            for item in listed[:_CHANGED]:
                path = f"{_PATH}/{item.external_id}"
                type_ = graph.get(path)["@odata.type"]
                graph.write("PATCH", path, {"@odata.type": type_, "description": f"{item.name}, widened for ring 1"})
            graph.write("DELETE", f"{_PATH}/{listed[_CHANGED].external_id}")
