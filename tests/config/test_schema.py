"""The schema as a whole, for people, for editors and for start-up time."""

from __future__ import annotations

import json
import subprocess
import sys

import jsonschema
import pytest
from ruamel.yaml import YAML

from spillover.config.faults import PLACES
from spillover.config.fielddocs import field_docs
from spillover.config.schema import Chain, Config, json_schema
from tests.config.writing import EVERY_SETTING


def test_the_whole_example_is_understood() -> None:
    config = Config.model_validate(YAML(typ="safe").load(EVERY_SETTING))

    assert list(config.chains) == ["default", "coding"]
    assert config.chains["coding"].profiles[0].weight == 3
    assert config.chains["coding"].timeouts.total == 1_800
    assert config.server.max_body == 64_000_000


def test_a_list_alone_is_a_chain() -> None:
    chain = Chain.model_validate(["groq", {"profile": "gemini", "weight": 2}])

    assert [(member.profile, member.weight) for member in chain.profiles] == [
        ("groq", 1),
        ("gemini", 2),
    ]


def test_every_setting_is_documented() -> None:
    bare = [
        f"{settings.__name__}.{field}"
        for settings in PLACES.values()
        for field in settings.model_fields
        if not field_docs().get(settings.__name__, {}).get(field)
    ]

    assert bare == []


def test_editors_accept_the_whole_example() -> None:
    document = YAML(typ="safe").load(EVERY_SETTING)

    jsonschema.validate(document, json_schema())


@pytest.mark.parametrize(
    ("section", "value"),
    [
        ("profiles", {"groq": {"modle": "x"}}),
        ("chains", {"c": {"profiles": ["a"], "strategy": "luck"}}),
        ("server", {"port": 70_000}),
        ("storages", "sqlite"),
        ("profiles", {"a": {"price": {"input": 1e308}}}),
    ],
    ids=["unknown setting", "unknown strategy", "port", "unknown section", "price"],
)
def test_editors_underline_mistakes(section: str, value: object) -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({section: value}, json_schema())


def test_the_schema_for_editors_is_valid_json_and_describes_settings() -> None:
    schema = json.loads(json.dumps(json_schema()))

    jsonschema.Draft202012Validator.check_schema(schema)
    server = schema["$defs"]["Server"]["properties"]
    assert server["port"]["description"].startswith("Port to listen on")
    assert schema["properties"]["privacy"]["description"]


def test_the_packages_door_opens_to_its_names_alone() -> None:
    import spillover.config

    for name in spillover.config.__all__:
        assert getattr(spillover.config, name)
    with pytest.raises(AttributeError, match="no attribute 'nobody'"):
        spillover.config.nobody  # noqa: B018 (looked at only)


def test_importing_the_package_does_not_import_pydantic() -> None:
    code = (
        "import sys, spillover, spillover.config, spillover.errors, spillover.catalogue; "
        "print([name for name in ('pydantic', 'ruamel.yaml', 'watchfiles') if name in sys.modules])"
    )

    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout

    assert printed.strip() == b"[]"
