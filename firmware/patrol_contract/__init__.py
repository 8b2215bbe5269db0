"""THE message law: topics, fields, QoS, signing and the MQTT packets, for unit, agent and county.

Written in the MicroPython subset, without I/O, so that one copy serves all three.
    messages.py      every message as a row           <- a new message goes here
    commands.py      every county command as a row    <- a new command goes here
    fields.py        field types: unit, range, wire form
    exact_json.py    JSON whose decimals stay exact
    topics.py        topic <-> (message name, who)
    signing.py       what the county signed, and what must be refused
    intervals.py     which sequence numbers were seen
    consumer.py      the reference county consumer: deduplicate, account for losses
    mqtt_packets.py  MQTT 3.1.1 and 5 packets <-> bytes
"""


class ContractError(ValueError):
    """A payload, topic or field breaks the contract; the message says which and how."""
