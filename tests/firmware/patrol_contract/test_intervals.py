from patrol_contract.intervals import Intervals


def test_repeats_are_told_from_latecomers():
    seen = Intervals()
    assert seen.add(3) and seen.add(1)
    assert not seen.add(3)
    assert seen.missing(4) == [[2, 2], [4, 4]]
    assert seen.add(2)
    assert seen.pairs == [[1, 3]] and seen.count == 3


def test_ranges_merge():
    seen = Intervals([[1, 3], [10, 12], [20, 20]])
    assert seen.add_range(4, 19) == 13
    assert seen.pairs == [[1, 20]]
    assert seen.add_range(1, 20) == 0
    assert 20 in seen and 21 not in seen and 0 not in seen


def test_any_order_gives_the_same_set():
    numbers = [7, 1, 9, 3, 2, 8, 30, 31, 4]
    for turn in range(len(numbers)):
        seen = Intervals()
        for n in numbers[turn:] + numbers[:turn]:
            assert seen.add(n)
        assert seen.pairs == [[1, 4], [7, 9], [30, 31]]
