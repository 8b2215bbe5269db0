"""What the county's broker refuses: shown by topic for as long as it does."""

from __future__ import annotations

from collections.abc import Callable

from edge_agent.uplink_flight import Answer


class Refusals:
    """Shown while the county's broker refuses a topic; an SOS sounds besides (alarm_room.py)."""

    def __init__(self, fault: Callable[[str, str | None], None]) -> None:
        self._fault, self._topics = fault, dict[str, int]()

    def answer(self, answer: Answer) -> None:
        topic = answer.event.topic
        if answer.heard == (topic not in self._topics):
            return
        if answer.heard:
            del self._topics[topic]
        else:
            self._topics[topic] = answer.reason
        said = [f"{topic} (0x{reason:02x})" for topic, reason in self._topics.items()]
        more = f" +{len(said) - 1}" if said[1:] else ""
        self._fault(
            "county refuses",
            f"县服务器拒收 {said[0]}{more}，请县里查权限"
            f" / the county's broker refuses {said[0]}{more}: have its access rules checked"
            if said
            else None,
        )
