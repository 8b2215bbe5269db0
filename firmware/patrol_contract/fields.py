"""The one walker: checks a dict by the lines of a row (kinds.py), and turns it into its other form.

A value has an inner form (what our code holds: ints, str, bool, list, dict) and a wire form (what
exact_json writes). They differ for decimals only, which are ints inside: degrees as 1e-7 degree.
A fault says in one sentence where it is, what is there and what was expected.
"""

from patrol_contract import ContractError, rows
from patrol_contract.exact_json import Dec

# The first letter of a kind says all; a small one begins the name of a row.
WHOLE, DECIMAL, UNIX, TEXT, HEX, SLUG = 0x57, 0x44, 0x55, 0x54, 0x48, 0x53
ONE, FLAG, LIST, COMMAND, SMALL = 0x4F, 0x46, 0x4C, 0x43, 0x61
TAKE_IN, NEED, MAY = 0x2B, 0x21, 0x3F  # + ! ?

HEX_CHARS = "0123456789abcdef"
SLUG_CHARS = "abcdefghijklmnopqrstuvwxyz0123456789-"


def walk(name, value, where, outward):
    """Check `value` by the row `name` (bytes); return its wire form (outward) or its inner form.

    Unknown keys from the wire pass unread (a later version's); to the wire they are a fault of
    ours and refused. None is as good as absent.
    """
    if not isinstance(value, dict):
        raise ContractError(where + ": not an object")
    out = {}
    unread = list(value) if outward else []
    names = [name]
    while names:
        text, at = rows.found(names.pop())
        at = rows.below(text, at)
        while at:
            if text[at] == TAKE_IN:
                names.append(rows.word(text, at + 2))
            elif text[at] == NEED:
                _need(rows.line(text, at + 2), out, where)
            else:
                colon = text.find(b":", at)
                may = text[colon - 1] == MAY
                key = text[at : colon - 1 if may else colon].decode()
                at = colon + 2
                if key in unread:
                    unread.remove(key)
                given = value.get(key)
                if given is not None:
                    if text[at] == COMMAND:
                        names.append(_command(text, at, given, where))
                        out[key] = given
                    else:
                        out[key] = _checked(text, at, given, where, key, outward)
                elif not may:
                    raise ContractError("%s.%s: missing" % (where, key))
            at = rows.below(text, at)
    if unread:
        raise ContractError("%s.%s: no such field" % (where, unread[0]))
    return out


def _need(rule, out, where):
    """`a or b when c is d`: one of the fields a and b is there, if c is d."""
    wanted, _, when = rule.partition(" when ")
    if when:
        key, word = when.split(" is ")
        if out.get(key) != word:
            return
    for key in wanted.split(" or "):
        if key in out:
            return
    raise ContractError("%s: needs %s" % (where, rule))


def _command(text, at, cmd, where):
    """The row of the command: it has the rest of the fields."""
    if isinstance(cmd, str) and cmd.split() == [cmd]:  # no text that runs on into other lines
        whose = text[at + 8 : text.find(b")", at)]
        name = whose + b"." + cmd.encode()
        try:
            rows.found(name)
            return name
        except KeyError:
            pass
    raise ContractError("%s.cmd: %r is no command here" % (where, cmd))


def _checked(text, at, value, where, key, outward):
    """The other form of `value`, if it is of the kind that stands in `text` at `at`."""
    kind = text[at]
    if kind >= SMALL:
        return walk(rows.word(text, at), value, where + "." + key, outward)
    if kind == FLAG:
        good = value is True or value is False
    elif kind == UNIX:
        good = _is_int(value) and 946684800 <= value <= 4102444800
    elif kind == ONE:
        good = isinstance(value, str) and _is_one(value, text, at)
    elif kind == LIST:
        good = isinstance(value, (list, tuple)) and len(value) <= _number(text, at + 5)
        if good:
            return _each(text, text.find(b" of ", at) + 4, value, where, key, outward)
        value = type(value)  # not a whole plan into the log
    elif kind == WHOLE:
        good = _is_int(value) and _within(text, at + 6, value)
    elif kind == DECIMAL:
        places = _number(text, at + 8, b",")
        inner = value if outward else _scaled(value, places)
        good = _is_int(inner) and _within(text, text.find(b",", at) + 1, inner, 10**places)
        if good:
            return Dec.of(inner, places) if outward else inner
    else:
        good = isinstance(value, str) and _is_text(text, at, kind, value)
    if not good:
        raise ContractError("%s.%s: %r is not %s" % (where, key, value, rows.line(text, at)))
    return value


def _is_int(value):
    return isinstance(value, int) and value is not True and value is not False


def _number(text, at, stop=b")"):
    """The number that begins there, and ends where a bracket closes or a comma stands."""
    return int(text[at : text.find(stop, at)])


def _within(text, at, value, one=1):
    """Whether it is at least the first of the two numbers there, and at most the second."""
    low = _number(text, at, b",") * one
    return low <= value <= _number(text, text.find(b",", at) + 1) * one


def _is_text(text, at, kind, value):
    if kind == TEXT:
        good = _within(text, at + 5, len(value))
        of = text.find(b")", at) + 1
        chars = rows.word(text, of + 4).decode() if text.startswith(b" of ", of) else ""
    elif kind == HEX:
        good, chars = len(value) == _number(text, at + 4), HEX_CHARS
    else:
        good, chars = 0 < len(value) <= _number(text, at + 5), SLUG_CHARS
    return good and not (chars and value.strip(chars))  # but for those characters nothing is left


def _is_one(value, text, at):
    """Whether it is one of the words in the brackets."""
    if "," in value:
        return False
    word = value.encode()
    end = text.find(b")", at)
    at = text.find(word, at, end)
    while at >= 0:
        if text[at - 1] in b"(," and text[at + len(word)] in b",)":
            return True
        at = text.find(word, at + 1, end)
    return False


def _each(text, at, value, where, key, outward):
    """In the list itself when it is from the wire: its old items are memory soon needed again."""
    out = list(value) if outward else value
    for i in range(len(out)):
        out[i] = _checked(text, at, out[i], where, "%s[%d]" % (key, i), outward)
    return out


def _scaled(value, places):
    """From the wire: 31.25, or 31 where somebody leaves out what is zero."""
    if isinstance(value, Dec):
        return value.scaled(places)
    return value * 10**places if _is_int(value) else value
