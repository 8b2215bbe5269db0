"""The MQTT packets as values; what a field means is the standard's: OASIS MQTT 3.1.1 and 5.0."""

from collections import namedtuple

V311 = 4
V5 = 5

# properties: dict of mqtt_properties, {} with 3.1.1. reason: MQTT 5 code, or 3.1.1's return code.
Will = namedtuple("Will", ("topic", "payload", "qos", "retain", "properties"))
Connect = namedtuple(
    "Connect",
    ("client_id", "version", "clean", "keepalive", "username", "password", "will", "properties"),
)
Connack = namedtuple("Connack", ("session_present", "reason", "properties"))
Publish = namedtuple(
    "Publish", ("topic", "payload", "qos", "retain", "dup", "packet_id", "properties")
)
Puback = namedtuple("Puback", ("packet_id", "reason", "properties"))
Subscribe = namedtuple("Subscribe", ("packet_id", "filters", "properties"))  # ((filter, options),)
Suback = namedtuple("Suback", ("packet_id", "reasons", "properties"))
Unsubscribe = namedtuple("Unsubscribe", ("packet_id", "filters", "properties"))
Unsuback = namedtuple("Unsuback", ("packet_id", "reasons", "properties"))  # 3.1.1: reasons ()
Pingreq = namedtuple("Pingreq", ())
Pingresp = namedtuple("Pingresp", ())
Disconnect = namedtuple("Disconnect", ("reason", "properties"))
