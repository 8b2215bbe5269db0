"""Every text of the page is in words.json, in both languages, and each of them is used."""

from __future__ import annotations

import json
import re

from edge_agent.desk import actions, rights, server
from edge_agent.docks.states import Light, State

STATIC = server.STATIC
WORDS = json.loads((STATIC / "words.json").read_text())
SCRIPTS = {path.name: path.read_text() for path in STATIC.glob("*.js")}
DESK = STATIC.parent
PYTHON = "".join(path.read_text() for path in DESK.glob("*.py"))
CJK = re.compile(r"[\u4e00-\u9fff]")

# Keys that are put together at run time, from what they are put together of.
MADE = {
    *(f"bay_{state}" for state in State),
    *(f"lamp_{light}" for light in Light),
    *(f"role_{role}" for role in ("staff", "lead", "technician", "auditor")),
    *(f"bearing_{eighth}" for eighth in range(8)),
    *(f"phase_{phase}" for phase in ("alone", "waiting", "overdue", "answered")),
    *(f"light_{light}" for light in ("held", "county", "onscene")),
    *(f"outcome_{outcome}" for outcome in ("pass", "register", "correct", "transfer")),
    *(f"alarm_{alarm}" for alarm in ("low", "high", "on", "fault")),
    *(f"quality_{quality}" for quality in ("stale", "fault")),
    *(f"order_{cmd}{end}" for cmd in ("rollcall", "seal_off", "assist") for end in
      ("", "_do", "_answer")),
    *(f"nav_{view}" for view in re.findall(r'\["(\w+)", "\w+", \w+\]', SCRIPTS["main.js"])),
    *re.findall(r'"(map_\w+)"', (DESK / "mapfile.py").read_text()),
    "place_key", "place_public", "person", "vehicle", "scene_said", "scene_near",
}  # fmt: skip


def asked() -> set[str]:
    """Keys that the code asks for."""
    found = set(re.findall(r'\bt\("(\w+)"', "".join(SCRIPTS.values())))
    found |= set(re.findall(r'titled\(root, "(\w+)"\)', SCRIPTS["places.js"]))
    found |= set(re.findall(r'Refused\("(\w+)"', PYTHON))
    return found | MADE | {f"log_{what}" for what in logged()}


def logged() -> set[str]:
    """What the operator log can hold."""
    noted = set(re.findall(r'note\(\s*[^,()]+(?:\.name)?,\s*"(\w+)"', PYTHON))
    own = re.findall(r'"(\w+)"', (DESK / "journal.py").read_text().partition("def happening")[2])
    return noted | {"going", "seen"} | {what for what in own if f"log_{what}" in WORDS}


def test_both_languages_are_whole() -> None:
    for key, texts in WORDS.items():
        assert set(texts) == {"zh", "en"}, key
        assert texts["zh"].strip() and texts["en"].strip(), key
        places = {tongue: sorted(re.findall(r"\{(\w+)\}", texts[tongue])) for tongue in texts}
        assert places["zh"] == places["en"], key
        assert key == "other_language" or not CJK.search(texts["en"]), key


def test_every_key_is_there_and_none_is_idle() -> None:
    assert len(asked()) > 200
    assert not asked() - set(WORDS)
    literals = set(re.findall(r'"(\w+)"', "".join(SCRIPTS.values())))  # t(a ? "x" : "y")
    assert not set(WORDS) - asked() - literals


def test_no_text_stands_in_the_scripts() -> None:
    for name, script in SCRIPTS.items():
        if name == "plate.js":  # what is printed on plates is the same in every language
            continue
        code = re.sub(r"//[^\n]*|/\*.*?\*/", "", script, flags=re.S)
        assert not CJK.search(code.replace("，", "").replace("；", "")), name
    assert not CJK.search((STATIC / "index.html").read_text())


def test_rights_of_the_page_are_the_servers() -> None:
    table = re.search(r"const RIGHTS = (\{.*?\});", SCRIPTS["session.js"], re.S)
    assert table
    shown = json.loads(re.sub(r",(\s*})", r"\1", re.sub(r"(\w+): \[", r'"\1": [', table[1])))
    for right, roles in shown.items():
        assert set(roles) == rights.RIGHTS[right], right
    assert {action.right for action in actions.ACTIONS.values()} <= {None, *rights.RIGHTS}


def test_files_are_small() -> None:
    for name, script in SCRIPTS.items():
        assert script.count("\n") < 300, name
