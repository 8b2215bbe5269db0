"""Field types. Each knows its unit, its range, and both its forms.

A value has an inner form (what our code holds: ints, str, bool, list, dict) and a wire form (what
exact_json writes). Decimals are ints inside: `Decimal(7)` holds degrees as 1e-7 degree.
In a dict of fields a key that ends in "?" may be absent. Unknown keys pass unread (a later
version's), which is why `inner` walks the wanted fields and not the given ones.
"""

from patrol_contract import ContractError
from patrol_contract.exact_json import Dec


class Field:
    """What to_wire and to_inner share: both check, both name the place of a fault."""

    unit = ""

    @property
    def kind(self):
        """What it is, in words, for errors and MESSAGES.md (made when asked: a unit has no RAM)."""
        return ""

    def to_wire(self, value, where):
        return self.to_inner(value, where)

    def to_inner(self, value, where):
        raise ContractError(where + ": no such type")


def _is_int(value):
    return isinstance(value, int) and value is not True and value is not False


class Whole(Field):
    """An integer within [low, high], in `unit`."""

    def __init__(self, low, high, unit=""):
        self.low, self.high, self.unit = low, high, unit

    @property
    def kind(self):
        return "integer %d to %d" % (self.low, self.high)

    def to_inner(self, value, where):
        if not _is_int(value) or not self.low <= value <= self.high:
            raise ContractError("%s: %r is not an %s" % (where, value, self.kind))
        return value


class Decimal(Field):
    """A number with `places` decimals on the wire; inside an int of 10**-places `unit`."""

    def __init__(self, places, low, high, unit=""):
        self.places, self.unit = places, unit
        self.low, self.high = low * 10**places, high * 10**places

    @property
    def kind(self):
        one = 10**self.places
        return "decimal, %d places, %d to %d" % (self.places, self.low // one, self.high // one)

    def _check(self, value, where):
        if not _is_int(value) or not self.low <= value <= self.high:
            raise ContractError(
                "%s: %r (1e-%d) is not a %s" % (where, value, self.places, self.kind)
            )
        return value

    def to_wire(self, value, where):
        return Dec.of(self._check(value, where), self.places)

    def to_inner(self, value, where):
        if isinstance(value, Dec):
            return self._check(value.scaled(self.places), where)
        return self._check(value * 10**self.places if _is_int(value) else value, where)


class Text(Field):
    """A string of at most `longest` characters; `chars` limits which."""

    def __init__(self, longest, chars="", shortest=1):
        self.longest, self.shortest, self.chars = longest, shortest, chars

    @property
    def kind(self):
        chars = " of `%s`" % self.chars if self.chars else ""
        return "text, %d to %d characters%s" % (self.shortest, self.longest, chars)

    def to_inner(self, value, where):
        if not isinstance(value, str) or not self.shortest <= len(value) <= self.longest:
            raise ContractError("%s: %r is not a %s" % (where, value, self.kind))
        for char in value if self.chars else "":
            if char not in self.chars:
                raise ContractError("%s: %r is not a %s" % (where, value, self.kind))
        return value


class Hex(Text):
    """Exactly `longest` lower-case hexadecimal characters."""

    def __init__(self, longest):
        super().__init__(longest, "0123456789abcdef", longest)

    @property
    def kind(self):
        return "%d hex characters" % self.longest


class Choice(Field):
    """One of the words."""

    def __init__(self, *words):
        self.words = words

    @property
    def kind(self):
        return "one of " + ", ".join(["`%s`" % w for w in self.words])

    def to_inner(self, value, where):
        if value not in self.words:
            raise ContractError("%s: %r is not %s" % (where, value, self.kind))
        return value


class Flag(Field):
    """true or false."""

    @property
    def kind(self):
        return "true or false"

    def to_inner(self, value, where):
        if value is not True and value is not False:
            raise ContractError("%s: %r is not true or false" % (where, value))
        return value


def made(fields):
    """A dict of fields, or what a function makes: a unit has no RAM for types it is not using."""
    return fields if isinstance(fields, dict) else fields()


class Record(Field):
    """An object with its own fields: a dict, or a function that makes it."""

    def __init__(self, fields):
        self._fields = fields

    @property
    def fields(self):
        return made(self._fields)

    @property
    def kind(self):
        return "object: " + ", ".join(["`%s`" % k for k in sorted(self.fields)])

    def to_wire(self, value, where):
        return walk(self.fields, value, where, True)

    def to_inner(self, value, where):
        return walk(self.fields, value, where, False)


class Rows(Field):
    """A list of at most `most` items of one type."""

    def __init__(self, of, most):
        self.of, self.most = of, most

    @property
    def kind(self):
        return "list of at most %d: %s" % (self.most, self.of.kind)

    def _each(self, value, where, convert):
        if not isinstance(value, (list, tuple)) or len(value) > self.most:
            raise ContractError("%s: not a %s" % (where, self.kind))
        return [convert(item, "%s[%d]" % (where, i)) for i, item in enumerate(value)]

    def to_wire(self, value, where):
        return self._each(value, where, self.of.to_wire)

    def to_inner(self, value, where):
        return self._each(value, where, self.of.to_inner)


def walk(fields, value, where, to_wire):
    """Check `value` (a dict) against `fields`; return it in wire or inner form.

    To the wire an unknown key is a fault of ours and refused; from the wire it is ignored.
    """
    if not isinstance(value, dict):
        raise ContractError(where + ": not an object")
    out = {}
    for name, field in fields.items():
        key = name.rstrip("?")
        if value.get(key) is None:
            if name.endswith("?"):
                continue
            raise ContractError("%s.%s: missing" % (where, key))
        inside = where + "." + key
        convert = field.to_wire if to_wire else field.to_inner
        out[key] = convert(value[key], inside)
    if to_wire:
        for key in value:
            if key not in fields and key + "?" not in fields:
                raise ContractError("%s.%s: no such field" % (where, key))
    return out
