"""Requirement 1 and 2 of the GPS: what is a sentence, whatever is around it and however it came."""

import nmea

from body_unit.gps_framer import Framer

GOOD = b"$GNRMC,171926.00,A,4404.14063,N,12118.85478,W,0.117,,180315,,,A*76\r\n"
BODY = "GNRMC,171926.00,A,4404.14063,N,12118.85478,W,0.117,,180315,,,A"


def sentences(*pieces):
    out = []
    framer = Framer()
    for piece in pieces:
        framer.feed(piece, out.append)
    return out


def test_a_sentence():
    assert sentences(GOOD) == [BODY]
    assert sentences(nmea.sentence("GNZZZ,~"), nmea.sentence("")) == ["GNZZZ,~", ""]


def test_hex_digits_of_either_case():
    assert nmea.sentence("GNTXT,p") == b"$GNTXT,p*0D\r\n"
    assert sentences(b"$GNTXT,p*0D", b"$GNTXT,p*0d") == ["GNTXT,p", "GNTXT,p"]


def test_resync_at_every_dollar():
    assert sentences(b"$GNRMC,1719", GOOD) == [BODY]
    assert sentences(b"$$$", GOOD, b"$", GOOD) == [BODY, BODY]
    assert sentences(GOOD[:-4], GOOD) == [BODY]  # cut between the star's two digits
    assert sentences(GOOD[:-2], GOOD) == [BODY, BODY]  # only the line end is missing


def test_binary_between_and_inside():
    noise = bytes(range(256)) * 2
    assert sentences(noise, GOOD, noise, GOOD) == [BODY, BODY]
    for bad in (b"\x00", b"\x1f", b"\x7f", b"\x80", b"\xff", b"\r", b"\n", b"\t"):
        assert sentences(GOOD[:20] + bad + GOOD[20:]) == []


def test_length():
    fits = "GNTXT," + "x" * (120 - 3 - 6)
    assert sentences(nmea.sentence(fits)) == [fits]
    assert sentences(nmea.sentence(fits + "x")) == []
    assert sentences(b"$" + b"x" * 5000 + b"*00", GOOD) == [BODY]


def test_checksum_is_two_hex_digits_and_right():
    body = GOOD[: GOOD.find(b"*")]
    for bad in (b"*77", b"*ZZ", b"*7", b"*", b"", b"* 76", b"*+6", b"*0x76", b"*7\x76"[:2]):
        assert sentences(body + bad + b"\r\n") == [], bad
    assert sentences(body + b"*76*76") == [BODY]


def test_any_split_gives_the_same():
    stream = b"\x00\xff$GN" + GOOD + b"*00" + GOOD[:30] + GOOD + b"$GNRMC*ZZ\r\n" + GOOD
    whole = sentences(stream)
    assert whole == [BODY] * 3
    for at in range(len(stream)):
        assert sentences(stream[:at], stream[at:]) == whole, at
    assert sentences(*[stream[i : i + 1] for i in range(len(stream))]) == whole


def test_what_fails_is_counted():
    framer = Framer()
    framer.feed(b"$GNRMC*00 $ $A\xff" + GOOD, lambda text: None)
    assert framer.rejected == 3
