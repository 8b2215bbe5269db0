"""What units say, as the page's rows: where an SOS is, who is on scene."""

from __future__ import annotations

from typing import Any

from edge_agent.board import Board
from edge_agent.event import Event, Klass
from patrol_contract import messages
from patrol_contract.examples import EXAMPLES

U = "u-0123"
TOPICS = {
    "unit_sos": f"patrol/v1/c371500/{U}/sos",
}


def told(board: Board, name: str, **fields: Any) -> dict[str, Any]:
    whole = {**EXAMPLES[name][1], **fields}
    payload = messages.encode(name, whole)
    board.observe(Event(TOPICS[name], payload, Klass.EVENT, U, "0" * 16, 1, at=5.0))
    return whole


def test_where_an_sos_is_comes_with_each_revision() -> None:
    board = Board()
    fix = {"lat": 364561200, "lon": 1159853400, "acc": 6, "age_s": 2}
    whole = told(board, "unit_sos", fix=fix)
    row = board.get("fix", whole["id"])
    assert (row["unit"], row["lat"], row["age_s"], row["at"]) == (U, 364561200, 2, 5.0)


def test_an_sos_without_a_position_says_so() -> None:
    board = Board()
    whole = EXAMPLES["unit_sos"][1]
    bare = {key: value for key, value in whole.items() if key != "fix"}
    payload = messages.encode("unit_sos", bare)
    board.observe(Event(TOPICS["unit_sos"], payload, Klass.SOS, U, "0" * 16, 1, at=5.0))
    assert board.get("fix", whole["id"])["lat"] is None
