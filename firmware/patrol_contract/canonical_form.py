"""Whether a payload is written as exact_json.dumps() writes already; then it needs no second parse.

Parsed, a plan of patrol points takes ten times its length: more than a unit without PSRAM has left
while it holds the first one.
"""


def member(data, key):
    """Where `"key":"text"` stands in an object that loads() took: (start, end, text) or None.

    Without data[start:end] it is what dumps() writes of the rest. None where dumps() might write
    anything else: white space, an escape, -0, keys out of order.
    """
    if b"\\" in data:
        return None
    last = []  # key of each open object
    found = None
    at = 0
    while at < len(data):
        c = data[at]
        if c == 0x22:
            start = at + 1
            at = data.index(b'"', start)
            if data[at + 1 : at + 2] == b":":
                name = data[start:at]
                if last[-1] is not None and name <= last[-1]:
                    return None
                last[-1] = name
                if len(last) == 1 and name == key:
                    found = start - 1
        elif c == 0x7B:
            last.append(None)
        elif c == 0x7D:
            last.pop()
        elif c in b" \t\r\n" or (c == 0x2D and data[at + 1] == 0x30):
            return None
        at += 1
    return None if found is None else _with_comma(data, found, found + len(key) + 3)


def _with_comma(data, start, value):
    if data[value] != 0x22:
        return None
    end = data.index(b'"', value + 1)
    text = data[value + 1 : end]
    end += 1
    if data[end] == 0x2C:
        end += 1
    elif data[start - 1] == 0x2C:
        start -= 1
    return start, end, text
