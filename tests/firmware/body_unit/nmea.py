"""Sentences for tests: a checksum around a body, and the two of one second."""


def sentence(body):
    """`GNRMC,…` -> `$GNRMC,…*hh` CR LF, as bytes."""
    checksum = 0
    for c in body.encode():
        checksum ^= c
    return b"$%s*%02X\r\n" % (body.encode(), checksum)


PLACE = ("3114.87890", "N", "12135.24420", "E")


def rmc(time="170001.00", date="211126", status="A", place=PLACE, mode="A", talker="GN", more=""):
    """13 fields with `more`=",V", 12 without, 11 with `mode`=None."""
    body = f"{talker}RMC,{time},{status},{','.join(place)},2.50,87.4,{date},,"
    return sentence(body + ("" if mode is None else "," + mode) + more)


def gga(time="170001.00", quality="1", place=PLACE, hdop="0.91", talker="GN", age=""):
    head = f"{talker}GGA,{time},{','.join(place)},{quality}"
    return sentence(f"{head},09,{hdop},61.2,M,-8.1,M,{age},")
