"""Signing by the county's tool against verifying in the contract, on any command."""

from __future__ import annotations

import json

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_agent.county.signer import Signer
from patrol_contract import ContractError, exact_json, messages, signing


@pytest.fixture(scope="module")
def signer(tmp_path_factory: pytest.TempPathFactory) -> Signer:
    key = rsa.generate_private_key(65537, 3072)
    return Signer(key, "county-1", tmp_path_factory.mktemp("county") / "seq.json")


def test_what_the_county_signs_is_obeyed(signer: Signer) -> None:
    name, payload = signer.command("u-0123", "dispatch", lat=1, lon=-1, rad=30, desc="村口")
    fields = messages.decode(name, payload)
    keys = {"county-1": signer.modulus}
    assert signing.refusal(payload, fields, keys, {"u-0123"}, {}, fields["iat"]) is None


def test_a_stock_json_tool_makes_the_same_signed_bytes(signer: Signer) -> None:
    _, payload = signer.command("g/z-03", "rollcall", within_s=60)
    stock = {k: v for k, v in json.loads(payload).items() if k != "sig"}
    text = json.dumps(stock, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert signing.signed_bytes(payload)[0] == text.encode()


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**17), 10**17) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3)
    ),
    max_leaves=10,
)


members = st.dictionaries(st.text(max_size=4) | st.just("sig"), json_values, max_size=5)


@settings(max_examples=500)
@given(members, st.booleans(), st.booleans(), st.none() | st.text("YWI=", max_size=5))
def test_what_is_signed_is_the_canonical_rest(
    value: dict[str, object], in_order: bool, plain: bool, sig: str | None
) -> None:
    """Whether it is cut out of the payload or parsed."""
    if sig is not None:
        value["sig"] = sig
    space = (",", ":") if plain else (", ", ": ")
    text = json.dumps(value, sort_keys=in_order, separators=space, ensure_ascii=not plain)
    try:
        payload = text.encode()
    except UnicodeEncodeError:
        return
    rest = {key: inner for key, inner in value.items() if key != "sig"}
    try:
        signed, found = signing.signed_bytes(payload)
    except ContractError:
        with pytest.raises(ContractError):
            exact_json.loads(payload)
        return
    assert signed == exact_json.dumps(rest)
    if sig is not None:
        assert found in (sig, sig.encode())


@given(json_values)
def test_dumps_is_stock_json_for_everything_without_decimals(value: object) -> None:
    try:
        stock = json.dumps(
            value, sort_keys=True, separators=(",", ":"), ensure_ascii=False
        ).encode()
    except UnicodeEncodeError:
        return
    assert exact_json.dumps(value) == stock


@settings(max_examples=500)
@given(
    st.binary(max_size=60)
    | st.text(alphabet='{}[]",:.0123456789truefalsn\\u-eE ', max_size=40).map(str.encode)
)
def test_loads_accepts_nothing_that_stock_json_refuses(data: bytes) -> None:
    try:
        value = exact_json.loads(data)
    except ContractError:
        return
    again = json.loads(data, parse_float=exact_json.Dec)
    assert again == value
