import binascii

# A throw-away RSA-3072 key's modulus and its signature over signed_bytes() of COMMAND,
# made with Python's cryptography 50 (tests/firmware/patrol_contract/test_signing_cpython.py).
from signed_sample import COMMAND, MODULUS  # beside this file

from patrol_contract import messages, signing
from patrol_contract.examples import EXAMPLES
from patrol_contract.signing import ReplayWindow

KEYS = {"county-1": binascii.unhexlify(MODULUS)}
NOW = 1795280410
ME = {"u-0123", "g/all"}


def why(payload=COMMAND, keys=KEYS, targets=ME, windows=None, now=NOW, open_sos=()):
    fields = messages.decode("unit_cmd", payload)
    windows = {} if windows is None else windows
    return signing.refusal(payload, fields, keys, targets, windows, now, open_sos)


def test_the_county_is_obeyed_once():
    windows = {}
    assert why(windows=windows) is None
    assert why(windows=windows) == "replay"


def test_the_window_survives_a_reboot():
    windows = {}
    assert why(windows=windows) is None
    kept = {to: ReplayWindow(*w.state()) for to, w in windows.items()}
    assert why(windows=kept) == "replay"


def test_reasons():
    assert why(keys={}) == "key"
    assert why(targets={"u-0124"}) == "target"
    assert why(now=NOW + 100000) == "expired"
    assert why(now=NOW - 100000) == "early"
    assert why(now=None) == "clock"
    sos = EXAMPLES["unit_cmd"][1]["sos"]
    assert why(now=None, open_sos=(sos,)) is None
    assert set(signing.REFUSALS) == {
        "key",
        "target",
        "clock",
        "expired",
        "early",
        "replay",
        "signature",
    }


def test_any_changed_byte_breaks_it_and_moves_no_window():
    for old, new in ((b'"seq":17', b'"seq":18'), (b"9b1d", b"9b1e"), (b'"v":1', b'"v":1,"x":1')):
        windows = {}
        assert why(COMMAND.replace(old, new), windows=windows) == "signature"
        assert windows["u-0123"].state() == (0, 0)


def test_another_way_of_writing_it_is_the_same_command():
    for other in (
        COMMAND.replace(b",", b", "),
        COMMAND.replace(b'"cmd":', b'"c\\u006dd":'),
        b'{"v":1,' + COMMAND.replace(b',"v":1', b"")[1:],
    ):
        assert other != COMMAND and signing.signed_bytes(other) != (b"", "")
        assert why(other) is None, other
        assert signing.signed_bytes(other)[0] == signing.signed_bytes(COMMAND)[0]


def test_garbage_signatures():
    start = COMMAND.index(b'"sig":"') + 7
    end = COMMAND.index(b'"', start)
    for sig in (b"AAAA", b"!!!!", b"A", b"A" * 512):
        assert why(COMMAND[:start] + sig + COMMAND[end:]) == "signature"


def test_replay_window_slides_and_forgives_overtaking():
    window = ReplayWindow()
    for seq in (1, 3, 2, 70):
        assert window.check(seq)
        window.accept(seq)
        assert not window.check(seq)
    assert not window.check(6)  # 64 below the top: too old to tell
    assert window.check(7)
    window.accept(1000)
    assert not window.check(70)
    assert ReplayWindow(*window.state()).check(999)
