"""Which sequence numbers were seen, as closed intervals.

The wire is at least once and two routes overtake each other, so "higher than the last" would drop
good records: only the set itself tells a repeat from a latecomer. A healthy sender costs one
interval, whatever its age.
"""


class Intervals:
    """A set of positive ints kept as sorted, disjoint, non-adjacent [low, high] pairs."""

    def __init__(self, pairs=()):
        self.pairs = [list(p) for p in pairs]

    def __contains__(self, seq):
        i = self._after(seq)
        return i > 0 and self.pairs[i - 1][1] >= seq

    def _after(self, seq):
        """Index of the first pair that begins above `seq`. New numbers are mostly the highest."""
        low, high = 0, len(self.pairs)
        while low < high:
            middle = (low + high) // 2
            if self.pairs[middle][0] > seq:
                high = middle
            else:
                low = middle + 1
        return low

    def add(self, seq):
        """Add one number; True when it was new."""
        return self.add_range(seq, seq) == 1

    def add_range(self, low, high):
        """Add low..high inclusive; return how many of them were new."""
        i = self._after(low)
        if i > 0 and self.pairs[i - 1][1] >= low - 1:
            i -= 1
        j = i
        known = 0
        while j < len(self.pairs) and self.pairs[j][0] <= high + 1:
            known += self.pairs[j][1] - self.pairs[j][0] + 1
            low = min(low, self.pairs[j][0])
            high = max(high, self.pairs[j][1])
            j += 1
        self.pairs[i:j] = [[low, high]]
        return high - low + 1 - known

    @property
    def count(self):
        """How many numbers are in the set."""
        return sum([high - low + 1 for low, high in self.pairs])

    def missing(self, upto):
        """The gaps within 1..upto, as [low, high] pairs."""
        out = []
        want = 1
        for low, high in self.pairs:
            if low > upto:
                break
            if low > want:
                out.append([want, low - 1])
            want = high + 1
        if want <= upto:
            out.append([want, upto])
        return out
