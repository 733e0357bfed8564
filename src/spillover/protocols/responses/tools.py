"""Read and write the tools of OpenAI's Responses, which are more than functions with a name.

Rules of this file:
- To other protocols every tool that the client itself runs is a function. One in a namespace has
  both names in its own, a freeform one takes its text as `input`.
- What OpenAI runs is an offer where functions stand beside it, and a demand where none does.

Refuses to know who offers tools, and who calls them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, assert_never
from zlib import crc32

from spillover.protocols.conversation.fields import Fields, Losses, encode, object_in
from spillover.protocols.conversation.requests import Form, Spelling, Tool, ToolCall

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_LONGEST: Final = 64
"""Characters of a function's name, as most providers count."""
_OFFERS: Final = ("web_search", "image_generation")
"""How the kinds of tools begin that OpenAI runs and that a model does without."""
INPUT: Final = "input"
"""The one argument of a freeform tool."""
SEARCH: Final = "tool_search"
_FREEFORM: Final = {
    "type": "object",
    "properties": {INPUT: {"type": "string"}},
    "required": [INPUT],
}


def flat_name(name: str, namespace: str | None) -> str:
    """Return what a tool is called where there are no namespaces."""
    if namespace is None:
        return name
    joined = f"{namespace}__{name}"
    if len(joined) <= _LONGEST:
        return joined
    return f"{joined[: _LONGEST - 9]}_{crc32(joined.encode()):08x}"


def read_tools(offered: Iterable[Fields], losses: Losses) -> list[Tool]:
    """Return the tools that are offered, each once."""
    hosted: list[str] = []
    found = {tool.name: tool for tool in _tools(offered, losses, hosted)}
    lost = [f"tools.{kind}" for kind in hosted]
    (losses.drop if found else losses.lack)(*lost)
    return list(found.values())


def _tools(
    offered: Iterable[Fields], losses: Losses, hosted: list[str], namespace: str | None = None
) -> Iterator[Tool]:
    for tool in offered:
        kind = tool.needed("type")
        match kind:
            case "function":
                yield _function(tool, namespace)
            case "custom":
                yield _freeform(tool, namespace)
            case "namespace":
                tool.text("description")
                yield from _tools(tool.objects("tools"), losses, hosted, tool.needed("name"))
            case "tool_search" if tool.text("execution") == "client":
                yield _search(tool)
            case _ if kind.startswith(_OFFERS):
                hosted.append(kind)
                continue
            case _:
                losses.lack(f"tools.{kind}")
                continue
        losses.drop(*(f"tools.{name}" for name in tool.left()))


def _function(tool: Fields, namespace: str | None) -> Tool:
    name = tool.needed("name")
    return Tool(
        name=flat_name(name, namespace),
        description=tool.text("description"),
        schema=tool.plain("parameters"),
        strict=tool.flag("strict") or None,
        spelling=None if namespace is None else Spelling(name=name, namespace=namespace),
    )


def _freeform(tool: Fields, namespace: str | None) -> Tool:
    name, said, form = tool.needed("name"), tool.text("description"), tool.plain("format")
    grammar = (form or {}).get("definition")
    described = [said or "", f"`{INPUT}` follows this grammar:\n{grammar}" if grammar else ""]
    native = {"description": said, "format": form}
    return Tool(
        name=flat_name(name, namespace),
        description="\n\n".join(filter(None, described)) or None,
        schema=_FREEFORM,
        spelling=Spelling(
            name=name,
            namespace=namespace,
            form=Form.FREEFORM,
            native={key: value for key, value in native.items() if value is not None},
        ),
    )


def _search(tool: Fields) -> Tool:
    return Tool(
        name=SEARCH,
        description=tool.text("description"),
        schema=tool.plain("parameters"),
        spelling=Spelling(name=SEARCH, form=Form.SEARCH),
    )


def read_freeform(item: Fields) -> ToolCall:
    """Return an item's call of a freeform tool."""
    return ToolCall(
        id=item.needed("call_id"),
        name=flat_name(item.needed("name"), item.text("namespace")),
        arguments=encode({INPUT: item.text("input") or ""}).decode(),
    )


def read_search(item: Fields) -> ToolCall:
    """Return an item's search for tools."""
    item.text("execution")
    arguments = encode(item.plain("arguments") or {}).decode()
    return ToolCall(id=item.needed("call_id"), name=SEARCH, arguments=arguments)


def call_item(
    call: ToolCall, identity: str, status: str | None, spelling: Spelling | None
) -> dict[str, Any]:
    """Return a call as an item, spelled as its client has the tool; `identity` ends the item's id."""
    name = call.name if spelling is None else spelling.name
    form = Form.FUNCTION if spelling is None else spelling.form
    found: dict[str, Any]
    match form:
        case Form.FUNCTION:
            found = {"type": "function_call", "id": f"fc_{identity}", "call_id": call.id}
            found |= {"name": name, "arguments": call.arguments}
        case Form.FREEFORM:
            found = {"type": "custom_tool_call", "id": f"ctc_{identity}", "call_id": call.id}
            found |= {"name": name, "input": freeform_input(call)}
        case Form.SEARCH:
            found = {"type": "tool_search_call", "id": f"tsc_{identity}", "call_id": call.id}
            found |= {"execution": "client", "arguments": object_in(call.arguments) or {}}
        case _:
            assert_never(form)
    if spelling is not None and spelling.namespace is not None:
        found["namespace"] = spelling.namespace
    if status is not None:
        found["status"] = status
    return found


def freeform_input(call: ToolCall) -> str:
    """Return the text that a freeform tool is called with; a model may have written it bare."""
    arguments = object_in(call.arguments)
    text = None if arguments is None else arguments.get(INPUT, "")
    return text if isinstance(text, str) else call.arguments


def write_tools(tools: Iterable[Tool]) -> list[dict[str, Any]]:
    """Return tools as they are offered; those of one namespace stand together."""
    found: list[dict[str, Any]] = []
    namespaces: dict[str, list[dict[str, Any]]] = {}
    for tool in tools:
        namespace = None if tool.spelling is None else tool.spelling.namespace
        if namespace is None:
            found.append(_written(tool))
            continue
        if namespace not in namespaces:
            within = namespaces[namespace] = []
            said = {"type": "namespace", "name": namespace, "description": namespace}
            found.append({**said, "tools": within})
        namespaces[namespace].append(_written(tool))
    return found


def _written(tool: Tool) -> dict[str, Any]:
    spelling = tool.spelling
    if spelling is not None and spelling.form is Form.FREEFORM:
        return {"type": "custom", "name": spelling.name, **spelling.native}
    schema = tool.schema or {"type": "object", "properties": {}}
    found: dict[str, Any] = {"type": "function"}
    if spelling is not None and spelling.form is Form.SEARCH:
        found = {"type": SEARCH, "execution": "client", "parameters": schema}
    else:
        found |= {
            "name": tool.name if spelling is None else spelling.name,
            "parameters": schema,
            "strict": tool.strict is True,  # it would be strict unasked, and refuse most schemas
        }
    if tool.description is not None:
        found["description"] = tool.description
    return found
