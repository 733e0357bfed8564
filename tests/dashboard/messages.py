"""Finds every message that the dashboard says."""

from __future__ import annotations

from jinja2 import nodes

from spillover.dashboard import terms
from spillover.dashboard.pages import SCRIPT_WORDS, environment


def of_templates() -> set[str]:
    """What templates say by `_('…')`."""
    found = set()
    templates = environment()
    for name in templates.list_templates():
        assert templates.loader is not None
        source, _, _ = templates.loader.get_source(templates, name)
        for call in templates.parse(source).find_all(nodes.Call):
            if isinstance(call.node, nodes.Name) and call.node.name == "_":
                (message, *_) = call.args
                assert isinstance(message, nodes.Const), f"{name}:{call.lineno}"
                found.add(message.value)
    return found


def every() -> set[str]:
    """What is said anywhere."""
    return (
        of_templates()
        | set(SCRIPT_WORDS)
        | {said for table in terms.ALL for said in table.values()}
    )
