from patrol_contract import ContractError
from patrol_contract.exact_json import Dec, dumps, loads


def refused(data):
    try:
        loads(data)
    except ContractError:
        return True
    return False


def test_a_decimal_keeps_its_text():
    assert loads(b'{"lat":31.2480350}') == {"lat": Dec("31.2480350")}
    assert dumps({"lat": Dec("31.2480350")}) == b'{"lat":31.2480350}'


def test_degrees_come_back_to_the_last_digit():
    for scaled in (0, 1, -1, 9999999, -10000001, 312480350, -1799999999, 1800000000):
        assert Dec.of(scaled, 7).scaled(7) == scaled
    assert Dec.of(-1, 7).text == "-0.0000001"
    assert Dec("121.5").scaled(7) == 1215000000
    assert Dec("-0.5").scaled(1) == -5


def test_places_beyond_the_scale_are_refused_unless_zero():
    assert Dec("1.500").scaled(1) == 15
    try:
        Dec("1.55").scaled(1)
    except ContractError:
        return
    raise AssertionError("1.55 passed as one place")


def test_canonical_is_what_stock_json_writes():
    value = {"b": [1, -2, True, False, None], "a": '村"\\\n\x01/', "": {}, "c": []}
    assert dumps(value) == (
        '{"":{},"a":"村\\"\\\\\\n\\u0001/","b":[1,-2,true,false,null],"c":[]}'.encode()
    )
    assert loads(dumps(value)) == value


def test_escapes():
    assert loads(b'"\\u6751\\ud83d\\ude80\\/\\t"') == "村🚀/\t"


def test_what_is_no_json_is_refused():
    for data in (
        b"",
        b"{",
        b"[1,]",
        b'{"a":1,}',
        b'{"a":1,"a":2}',
        b"01",
        b"-",
        b"1.",
        b".5",
        b"1e3",
        b"NaN",
        b"nul",
        b'"\\ud800"',
        b'"\\u12"',
        b'"\\x"',
        b'"\x01"',
        b"1 2",
        b'{"a"1}',
        b"'a'",
        b'"\xff"',
        b'"abc',
        b"1" * 30,
        b"[" * 7 + b"]" * 7,
        b'"\\ud800\\u0041"',
        b"\xff",
        b"+1",
        b'"\\u00_1"',
        b"{1:2}",
    ):
        assert refused(data), data


def test_deep_nesting_costs_no_stack():
    assert refused(b"[" * 8000)


def test_a_float_never_reaches_the_wire():
    try:
        dumps({"lat": 31.25})
    except TypeError:
        return
    raise AssertionError("a float was written")
