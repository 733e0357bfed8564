"""The page on testing names everything that a simulated provider can be told."""

from __future__ import annotations

import re

import msgspec
import pytest

from spillover.simulator import FAULTS, FLAVOURS, Outcome, Part, ProviderSpec
from spillover.simulator.__main__ import main
from spillover.simulator.control import SpecChange
from spillover.simulator.faults import Fault
from tests.structure.project import ROOT

PAGE = (ROOT / "docs" / "testing.md").read_text("utf-8")
WORDS = set(re.findall(r"`([^`\s]+)`", PAGE))


@pytest.mark.parametrize(
    "names",
    [
        FAULTS,
        FLAVOURS,
        list(Outcome),
        list(Part),
        [field.encode_name for field in msgspec.structs.fields(Fault)],
        ProviderSpec.__struct_fields__,
        SpecChange.__struct_fields__,
    ],
    ids=["faults", "flavours", "outcomes", "parts", "fields of a fault", "spec", "changes"],
)
def test_every_name_is_on_the_page(names: list[str]) -> None:
    missing = [str(name) for name in names if str(name) not in WORDS]

    assert not missing


def test_every_option_of_the_process_is_on_the_page(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    options = set(re.findall(r"--[a-z-]+", capsys.readouterr().out)) - {"--help"}

    missing = [option for option in sorted(options) if option not in PAGE]

    assert not missing
