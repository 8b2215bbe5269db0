"""What an accelerometer worn upright (Z down, 1 g = 1000) feels, 50 samples a second, in mg.

Made, not recorded: phases with the amplitudes and lengths that work on wearable fall detectors
gives for them. Same seed, same trace. MicroPython subset: the unit's process plays them too.
"""

import math

HZ = 50
UPRIGHT = (0, 0, 1000)
ON_ITS_SIDE = (970, 150, 180)
BODY_SWAY_MG = 30  # of breathing, at the trunk
CHIP_NOISE_MG = 4


class Dice:
    """The same numbers on both runtimes."""

    def __init__(self, seed):
        self._state = seed * 2654435761 + 1 & 0x7FFFFFFF

    def spread(self, width):
        """A whole number in -width..width."""
        self._state = self._state * 1103515245 + 12345 & 0x7FFFFFFF
        return (self._state >> 8) % (2 * width + 1) - width if width else 0


def hold(down, seconds, dice, noise=CHIP_NOISE_MG, sway=0, sway_hz=0.3):
    """Rest in the position `down`, with noise and a slow sway of one axis."""
    for n in range(int(seconds * HZ)):
        lean = int(sway / 2 * math.sin(2 * math.pi * sway_hz * n / HZ))
        yield (
            down[0] + lean + dice.spread(noise),
            down[1] + dice.spread(noise),
            down[2] + dice.spread(noise),
        )


def standing(seconds, dice):
    return hold(UPRIGHT, seconds, dice, 15, 60)


def breathing(down, seconds, dice):
    return hold(down, seconds, dice, CHIP_NOISE_MG, BODY_SWAY_MG)


def gait(seconds, hz, swing, low, low_n, hit, dice):
    """Steps: a swing, `low_n` light samples of `low` mg, a foot that lands with `hit`."""
    period = int(HZ / hz)
    for n in range(int(seconds * HZ)):
        at = n % period
        if at == 0:
            size = hit + dice.spread(hit // 8)
        elif at > period - 1 - low_n:
            size = low + dice.spread(60)
        else:
            size = 1000 + int(swing * math.sin(2 * math.pi * at / period))
        yield dice.spread(150), dice.spread(150), size


def walking(seconds, dice):
    return gait(seconds, 1.8, 250, 800, 0, 1400, dice)


def running(seconds, dice):
    return gait(seconds, 2.8, 500, 250, 5, 3200, dice)


def flight(seconds, depth, dice):
    """Falling: depth 0 is weightless; a body that crumples keeps 0.2 to 0.4 g."""
    for _ in range(int(seconds * HZ)):
        yield dice.spread(50), dice.spread(50), depth + dice.spread(60)


def blow(peak, seconds, dice):
    """A hit that dies away within the time, in all directions."""
    count = int(seconds * HZ)
    for n in range(count):
        left = peak * (count - n) // count
        yield dice.spread(left // 2), dice.spread(left // 2), left if n % 3 == 0 else 1000


def vibration(seconds, size, dice):
    """A motorbike's engine and road."""
    for _ in range(int(seconds * HZ)):
        yield dice.spread(size), dice.spread(size), 1000 + dice.spread(size)


def chain(*parts):
    for part in parts:
        for sample in part:
            yield sample


def fall_walking(dice, down=ON_ITS_SIDE, lies=None):
    """Stumbles, goes down half carried by the legs, hits, rolls, and lies."""
    return chain(
        walking(8, dice),
        flight(0.32, 300, dice),
        blow(4500, 0.3, dice),
        vibration(1.0, 300, dice),
        breathing(down, 14, dice) if lies is None else lies,
    )


def fall_from_a_roof(dice):
    return chain(
        standing(5, dice),
        flight(0.75, 40, dice),
        blow(7900, 0.3, dice),
        breathing((-300, 900, -250), 16, dice),
    )


def fall_backwards_and_twitch(dice):
    """Moves once more, two seconds on, then lies."""
    return chain(
        standing(5, dice),
        flight(0.4, 250, dice),
        blow(5000, 0.3, dice),
        breathing((0, -950, 250), 4, dice),
        vibration(0.4, 900, dice),
        breathing((0, -990, 100), 14, dice),
    )


def fall_and_up_again(dice):
    return fall_walking(
        dice,
        lies=chain(breathing(ON_ITS_SIDE, 3, dice), vibration(2, 600, dice), walking(30, dice)),
    )


def run(dice):
    return chain(standing(3, dice), running(40, dice), standing(20, dice))


def run_and_crouch(dice):
    """After a run one sits down on the heels, the trunk upright."""
    return chain(running(20, dice), breathing((350, 0, 930), 20, dice))


def jump(dice):
    """Down from a wall of a metre, and stands there."""
    return chain(
        standing(5, dice), flight(0.45, 60, dice), blow(5500, 0.25, dice), standing(20, dice)
    )


def dropped_on_a_table(dice):
    """Taken off, slips from the hand, bounces, lies on its back: nobody wears it."""
    return chain(
        walking(5, dice),
        vibration(2, 200, dice),
        flight(0.28, 30, dice),
        blow(7500, 0.2, dice),
        flight(0.08, 40, dice),
        blow(3000, 0.15, dice),
        hold((980, -60, 90), 40, dice),
    )


def put_down(dice):
    return chain(walking(5, dice), vibration(1, 300, dice), hold((0, 1000, 20), 60, dice))


def potholes(dice):
    """A motorbike over holes: drops of 0.1 s, hits of 4 g, and on; then it stops at a light."""
    parts = []
    for _ in range(12):
        parts += [
            vibration(3, 350, dice),
            flight(0.1, 150, dice),
            blow(4200, 0.12, dice),
        ]
    return chain(*(parts + [vibration(20, 40, dice)]))


def stairs_and_chair(dice):
    """Down the stairs, hard onto a bench, and leaning back."""
    return chain(
        gait(15, 2.0, 400, 450, 3, 2300, dice),
        flight(0.14, 400, dice),
        blow(2800, 0.2, dice),
        breathing((600, 0, 780), 25, dice),
    )


FALLS = (fall_walking, fall_from_a_roof, fall_backwards_and_twitch)
NO_FALLS = (
    fall_and_up_again,
    run,
    run_and_crouch,
    jump,
    dropped_on_a_table,
    put_down,
    potholes,
    stairs_and_chair,
)
