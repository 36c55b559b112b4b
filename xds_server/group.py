"""The state of one group of proxies: what is published, and what is computed once for all who are in step."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from .consistency import ReferenceCount, check_names
from .errors import InconsistentSnapshot
from .resource import Resource
from .settings import References
from .subscription import NOTHING, Subscription
from .table import Clock, TableLog
from .view import NONE_KEPT, Change, View, compare
from .wire import response_head

_MEMO_SIZE: Final = 4_096

Key = tuple[str, str]


class Group:
    """The tables of one group, per type; and the views, differences and encoded responses made of them.

    A thousand proxies in step ask for the same view, difference and response: each is computed once (the
    memos), and dropped when the type's table changes.
    """

    def __init__(self, name: str, references: References) -> None:
        self.name = name
        self.published = False
        self.clock = Clock()
        self._tables: dict[str, TableLog] = {}
        self._references = ReferenceCount() if references is References.STRICT else None
        self._views: dict[str, dict[tuple[Subscription, frozenset[object]], View]] = {}
        self._changes: dict[tuple[View, View], Change] = {}
        self._heads: dict[tuple[View, frozenset[str] | None], bytes] = {}

    @property
    def generation(self) -> int:
        return self.clock.generation

    @property
    def types(self) -> Iterable[str]:
        return self._tables.keys()

    def publish(self, resources: Iterable[Resource]) -> int:
        """Replace everything. Raises InconsistentSnapshot with all faults, and then nothing is changed."""
        listed = list(resources)
        faults = check_names(listed)
        new = {resource.key: resource for resource in listed}
        changed: dict[Key, Resource | None] = {
            key: resource for key, resource in new.items() if self._differs(key, resource)
        }
        for type_url, log in self._tables.items():
            changed |= {
                (type_url, name): None for name in log.current.resources if (type_url, name) not in new
            }
        return self._apply(changed, faults)

    def change(self, put: Iterable[Resource], remove: Iterable[Key]) -> int:
        """Replace or remove the named resources only; to remove what is not there is no fault."""
        listed = list(put)
        removed = list(remove)
        faults = check_names(listed)
        both = {resource.key for resource in listed} & set(removed)
        faults += [f"{type_url} {name!r} is both put and removed" for type_url, name in sorted(both)]
        changed: dict[Key, Resource | None] = {key: None for key in removed if self.find(*key) is not None}
        changed |= {resource.key: resource for resource in listed if self._differs(resource.key, resource)}
        return self._apply(changed, faults)

    def find(self, type_url: str, name: str) -> Resource | None:
        log = self._tables.get(type_url)
        return log.current.resources.get(name) if log else None

    def _differs(self, key: Key, resource: Resource) -> bool:
        old = self.find(*key)
        return old is None or old.version != resource.version

    def _apply(self, changed: Mapping[Key, Resource | None], faults: list[str]) -> int:
        if self._references is not None and not faults:
            faults = self._references.check(changed, self.find)
        if faults:
            raise InconsistentSnapshot(faults)
        if self._references is not None:
            self._references.apply(changed, self.find)
        self.published = True
        if changed:
            by_type: dict[str, dict[str, Resource | None]] = {}
            for (type_url, name), resource in changed.items():
                by_type.setdefault(type_url, {})[name] = resource
            for type_url, names in by_type.items():
                self._log(type_url).replace(names)
                self._views.pop(type_url, None)
            self._changes.clear()
            self._heads.clear()
            self.clock.generation += 1
        return self.generation

    def _log(self, type_url: str) -> TableLog:
        log = self._tables.get(type_url)
        if log is None:
            log = self._tables[type_url] = TableLog(self.clock)
        return log

    # What follows is read by the sessions.

    def view(
        self, type_url: str, subscription: Subscription, kept: Mapping[str, Resource | None] = NONE_KEPT
    ) -> View:
        """The one object for this view of the current table."""
        views = self._views.get(type_url)
        if views is None:
            views = self._views[type_url] = {}
        key: tuple[Subscription, frozenset[object]] = (
            subscription,
            frozenset(kept.items()) if kept else frozenset(),
        )
        found = views.get(key)
        if found is None:
            if len(views) >= _MEMO_SIZE:
                views.clear()
            found = views[key] = View(subscription, self._log(type_url).current, kept)
        return found

    def is_current(self, type_url: str, view: View) -> bool:
        return view.table is self._log(type_url).current

    def nothing(self, type_url: str) -> View:
        """What a client has that has just asked for the first time, as far as we know."""
        return self.view(type_url, NOTHING)

    def change_between(self, type_url: str, sent: View, target: View) -> Change:
        key = (sent, target)
        found = self._changes.get(key)
        if found is None:
            if len(self._changes) >= _MEMO_SIZE:
                self._changes.clear()
            touched = self._log(type_url).changed_since(sent.table)
            found = self._changes[key] = compare(sent, target, touched)
        return found

    def response(self, type_url: str, view: View, names: frozenset[str] | None) -> bytes:
        """A response all but its nonce: the whole view, or the named part of it."""
        key = (view, names)
        found = self._heads.get(key)
        if found is None:
            if len(self._heads) >= _MEMO_SIZE:
                self._heads.clear()
            some = view if names is None else [r for r in map(view.get, sorted(names)) if r is not None]
            found = self._heads[key] = response_head(view.version, type_url, some)
        return found
