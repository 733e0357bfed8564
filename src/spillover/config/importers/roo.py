"""Take over what Roo Code exports: named API configurations, one of them current, some by mode.

The export is `{providerProfiles: {currentApiConfigName, apiConfigs, modeApiConfigs}, globalSettings}`
(src/core/config/importExport.ts there). Kilo Code, which came from it, writes the same and more.
Refuses to know what else the settings say: they are the editor's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from spillover.config.importers.drafting import Drafter
from spillover.config.importers.editors import far_of
from spillover.config.importers.reading import Repeated, mapping, read_json, text_of
from spillover.config.routing import DEFAULT
from spillover.errors import RequestError

if TYPE_CHECKING:
    from spillover.catalogue import Catalogue
    from spillover.config.importers.plan import Plan

VIRTUAL: Final = "virtual-quota-fallback"
"""Kilo Code's provider that stands for others, in an order."""


class Export:
    """An export's profiles, and what becomes of them."""

    def __init__(self, source: bytes, catalogue: Catalogue, *, tool: str) -> None:
        """Read an export; raises RequestError if it is none."""
        values = read_json(source)
        profiles = mapping(mapping(values).get("providerProfiles"))
        self.configs: dict[str, Any] = mapping(profiles.get("apiConfigs"))
        if not self.configs:
            raise RequestError(
                f"it is no export of {tool}: expected providerProfiles with apiConfigs in it "
                "(Settings, About, Export)"
            )
        self.draft = Drafter(catalogue, values)
        self.current: str = text_of(profiles.get("currentApiConfigName"))
        self.modes: dict[str, Any] = mapping(profiles.get("modeApiConfigs"))
        self.chain = self.draft.reserve(DEFAULT)
        """What all of them together are called."""
        self.taken: dict[str, str] = {}
        """What became of them: their name in the file, and here."""
        self._by_id = {
            text_of(mapping(each).get("id")): name for name, each in self.configs.items()
        }
        if isinstance(self.configs, Repeated):
            for name in self.configs.keys_repeated:
                self.draft.leave(name, "it stands there more than once: the last one counts")

    def provider(self, name: str) -> str:
        """Return the provider that a configuration names."""
        return text_of(mapping(self.configs.get(name)).get("apiProvider"))

    def named(self, id_: Any, name: Any = None) -> str | None:
        """Return the configuration of an id, else of a name; None: there is none."""
        found = self._by_id.get(text_of(id_)) if text_of(id_) else None
        return found or (name if isinstance(name, str) and name in self.configs else None)

    def take_profiles(self) -> None:
        """Take over every configuration that stands for a provider itself."""
        for name, settings in self.configs.items():
            if self.provider(name) == VIRTUAL:
                continue
            far = far_of(mapping(settings), self.draft.catalogue)
            if isinstance(far, str):
                self.draft.leave(name, far)
                continue
            # Both editors call the first one so; here it is what a chain is called.
            wanted = self.provider(name) if name.lower() == DEFAULT else None
            given = self.draft.profile(name, far, wanted=wanted)
            if given is not None:
                self.taken[name] = given

    def chain_all(self) -> None:
        """Put all of them into one chain, the current one first."""
        order = sorted(self.taken, key=lambda name: name != self.current)
        members = [self.taken[name] for name in order]
        if members:
            self.draft.chain("all of them, the current one first", self.chain, members)

    def alias_modes(self) -> None:
        """Let a mode's name lead to its own configuration, where that is not the current one."""
        for mode, id_ in self.modes.items():
            name = self.named(id_)
            if name is None:
                self.draft.leave(
                    f"mode {mode}", "the configuration that it names is not in the file"
                )
            elif name != self.current and name in self.taken:
                self.draft.alias(mode, self.taken[name])

    def plan(self) -> Plan:
        """Return the plan; raises RequestError if nothing can be taken over."""
        return self.draft.plan()


def plan(source: bytes, catalogue: Catalogue) -> Plan:
    """Return what an export of Roo Code comes to; raises RequestError if it is none."""
    export = Export(source, catalogue, tool="Roo Code")
    for name in export.configs:
        if export.provider(name) == VIRTUAL:
            export.draft.leave(name, "Roo Code has no such provider: import it as kilo")
    export.take_profiles()
    export.chain_all()
    export.alias_modes()
    return export.plan()
