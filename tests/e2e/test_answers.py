"""Answers compared with Medusa's, from both topologies."""

from __future__ import annotations

import pytest

from ..medusa.compare import differences
from ..medusa.recorded import answers, play, unexplained
from .served import Served


@pytest.mark.parametrize("scenario", ["fields_and_filters", "promotions_kinds"])
async def test_both_topologies_answer_as_medusa_does(colony: Served, scenario: str) -> None:
    unknown, _ = unexplained(scenario, differences(answers(scenario), await play(scenario, colony.base, alone=False)))
    assert not unknown, "\n".join(map(str, unknown))
