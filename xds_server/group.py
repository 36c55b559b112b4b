"""The state of one group of proxies: what is published, and what is computed once for all who are in step."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from typing import Final

from .consistency import ReferenceCount, check_names
from .errors import InconsistentSnapshot
from .resource import Resource
from .response import Response
from .settings import References
from .subscription import NOTHING, Subscription
from .table import VERSION_CHARS, Clock, TableLog
from .types import ROUTING
from .view import NONE_KEPT, Change, View, compare
from .wire import Form, encode

# Proxies in step share an entry, so that few are needed; more of them would only take memory.
_MEMO_SIZE: Final = 512
_MEMO_BYTES: Final = 64 * 1024 * 1024
# A name costs 100 to 300 bytes in what is computed of it; what clients have asked for that left goes with it.
_MEMO_NAMES: Final = 500_000
_PAST_BYTES: Final = 16 * 1024 * 1024

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
        self._responses: dict[tuple[View, frozenset[str] | None, Form], Response] = {}
        self._had: dict[tuple[View, frozenset[str]], Mapping[str, tuple[Resource | None, ...]]] = {}
        self.has_ttl = False
        self._recalled: dict[tuple[str, Subscription, str], View | None] = {}
        self._response_bytes = 0
        self._memo_names = 0
        self._past_bytes = 0
        self._past: OrderedDict[tuple[str, str, str], Resource] = OrderedDict()

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
                self._remember(self.find(type_url, name))
                self.has_ttl = self.has_ttl or (resource is not None and resource.ttl is not None)
                by_type.setdefault(type_url, {})[name] = resource
            for type_url, names in by_type.items():
                self._log(type_url).replace(names)
                self._views.pop(type_url, None)
            self._forget()
            self.clock.generation += 1
        return self.generation

    def _forget(self) -> None:
        """Drop the memos; the views stay, for they are known by identity."""
        self._changes.clear()
        self._responses.clear()
        self._response_bytes = 0
        self._had.clear()
        self._recalled.clear()

    def _make_room(self, names: int) -> None:
        """For a memo of so many names. Most clients ask for what others ask for; those that do not, each for
        something else, must not fill the memory with it.
        """
        self._memo_names += names
        if self._memo_names > _MEMO_NAMES:
            self._memo_names = names
            for views in self._views.values():
                views.clear()
            self._forget()

    def _remember(self, resource: Resource | None) -> None:
        if resource is not None:
            key = (resource.type_url, resource.name, resource.version)
            if key not in self._past:
                self._past_bytes += len(resource.body)
            self._past[key] = resource
            while self._past_bytes > _PAST_BYTES:
                self._past_bytes -= len(self._past.popitem(last=False)[1].body)

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
            self._make_room(len(subscription.names) + len(kept))
            found = views[key] = View(subscription, self._log(type_url).current, kept)
        return found

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
            found = compare(sent, target, touched)
            self._make_room(len(found.names))
            self._changes[key] = found
        return found

    def response(self, type_url: str, view: View, names: frozenset[str] | None, form: Form) -> Response:
        """The whole view, or the named part of it, as a message that is shared by all who are to have it."""
        key = (view, names, form)
        found = self._responses.get(key)
        if found is None:
            found = Response(encode(type_url, view, names, form))
            self._response_bytes += len(found)
            if len(self._responses) >= _MEMO_SIZE or self._response_bytes > _MEMO_BYTES:
                self._responses.clear()
                self._response_bytes = len(found)
            self._responses[key] = found
        return found

    def had(self, sent: View, names: frozenset[str]) -> Mapping[str, tuple[Resource | None, ...]]:
        """What a client of this view has of each of these names."""
        key = (sent, names)
        found = self._had.get(key)
        if found is None:
            if len(self._had) >= _MEMO_SIZE:
                self._had.clear()
            self._make_room(len(names))
            found = self._had[key] = {name: (sent.get(name),) for name in names}
        return found

    def may_be_routed(self, cluster: Resource) -> bool:
        """Whether a listener or route of not long ago led to this cluster; one that we never knew may be."""
        if not cluster.body:
            return any(self._log(type_url).current.resources for type_url in ROUTING)
        return any(
            cluster.name in old.links.clusters for old in self._past.values() if old.type_url in ROUTING
        )

    def recall_view(self, type_url: str, subscription: Subscription, version: str) -> View | None:
        """What a client holds that names this version of its subscription; None if that is too long ago."""
        if len(version) != VERSION_CHARS:
            return None  # it was never ours
        key = (type_url, subscription, version)
        if key not in self._recalled:
            if len(self._recalled) >= _MEMO_SIZE:
                self._recalled.clear()
            self._make_room(len(subscription.names))
            views = (View(subscription, table, NONE_KEPT) for table in self._log(type_url).past())
            self._recalled[key] = next((view for view in views if view.version == version), None)
        return self._recalled[key]

    def recall(self, type_url: str, name: str, version: str) -> Resource:
        """A resource that a client says it has: as it was published once, or an empty one in its place."""
        return self._past.get((type_url, name, version)) or Resource(type_url, name, b"")
