"""What the form of a restore is about, and what its fields hold."""

from __future__ import annotations

from dataclasses import dataclass, replace

from screens.text import format as fmt
from store.intune.backup_sets import BackupSet
from store.intune.restore_records import Mode, Restore, Scope


@dataclass(frozen=True, slots=True)
class Subject:
    """What is restored: a set, whole or in part, as a plan or as a restore that is there already."""

    set_id: int
    set_name: str
    #: The slug of the tenant that the set is of.
    source: str
    #: Ids of chosen items, and what they are called; empty for the set by its kinds.
    items: tuple[int, ...] = ()
    items_name: str = ""
    #: The restore that is changed; None if one is planned.
    restore: Restore | None = None

    @classmethod
    def of_set(cls, source: BackupSet, item: tuple[int, str] | None) -> Subject:
        """A set, or one item of it by its id and name."""
        begun = cls(source.id, source.name, source.tenant)
        return begun if item is None else replace(begun, items=item[:1], items_name=item[1] or "(without a name)")

    @classmethod
    def of_restore(cls, restore: Restore) -> Subject:
        """What a restore takes by now."""
        items = tuple(restore.scope.get("items") or ())
        return cls(
            restore.backup_set_id,
            restore.backup_set,
            restore.source_tenant,
            items,
            f"{fmt.several(len(items), 'object')} chosen before",
            restore,
        )


@dataclass(frozen=True, slots=True)
class Draft:
    """What the fields hold."""

    tenant: str | None
    mode: Mode
    reason: str
    only: bool
    #: The chosen kinds; None while those of the set are unknown.
    kinds: tuple[str, ...] | None

    def problems(self, subject: Subject) -> dict[str, str]:
        """What keeps it from being planned, by field."""
        found = {} if self.tenant else {"into": "choose the tenant that it is restored into"}
        if not (self.only and subject.items):
            if self.kinds is None:
                found["kinds"] = "the backup set has not been read yet"
            elif not self.kinds:
                found["kinds"] = "choose at least one kind"
        return found

    def scope(self, subject: Subject, known: tuple[str, ...]) -> Scope:
        """What is restored; `known` are the kinds of the set. The kinds that chosen items were narrowed by stay."""
        if self.only and subject.items:
            kept = subject.restore.scope.get("kinds") if subject.restore else None
            return Scope(None if kept is None else tuple(kept), subject.items)
        return Scope(None if self.kinds is None or set(self.kinds) == set(known) else self.kinds)
