"""THE message law: topics, fields, QoS, signing and the MQTT packets, for unit, agent and county.

Written in the MicroPython subset, without I/O, so that one copy serves all three.
    rows_unit.py       every message of a unit as a row     <- a new message goes here,
    rows_checkpoint.py and of a checkpoint                  <- or here
    commands.py        every command to a unit as a row     <- a new command goes here,
    commands_checkpoint.py and to a checkpoint              <- or here
    kinds.py           how a row is written, and parts that many share
    messages.py        encode() and decode(), by the rows
    rows.py, fields.py find a row, and check fields by it
    catalogue.py       the rows as objects, for whoever has room; not on a unit
    exact_json.py      JSON whose decimals stay exact
    topics.py          topic <-> (message name, who)
    signing.py         what the county signed, and what must be refused
    canonical_form.py  which part of a payload is signed, without parsing it again
    intervals.py       which sequence numbers were seen
    consumer.py        the reference county consumer: deduplicate, account for losses
    mqtt_packets.py    MQTT 3.1.1 and 5 packets <-> bytes
"""


class ContractError(ValueError):
    """A payload, topic or field breaks the contract; the message says which and how."""
