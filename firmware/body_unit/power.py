"""The power policy's constants and the battery's curve: the one home, read by unit and by paper.

`hardware/` computes hours per charge from these numbers times the currents of its data sheets, so
a change here moves the figures there. Units: _S seconds, _MS milliseconds, _MV millivolts.

What the unit does, by state:

    off duty            on the cradle: modem off, Wi-Fi associated, receiver off
    on duty, moving     receiver on at 1 Hz, position reports by policy.TABLE
    on duty, still      receiver in backup, one fix every GPS_STILL_S (hot start, GPS_FIX_S on)
    between reports     the CPU in light sleep where SLEEPS_WITH allows it; the modem off beside
                        Wi-Fi, otherwise as MODEM says
    SOS                 receiver on, both links up, a revision every 5 s and then every 30 s
"""

# --- receiver -------------------------------------------------------------------------------
GPS_STILL_S = 60  # while still: one fix so often
GPS_FIX_S = 4  # a hot start takes 1 to 2 s; then two fixes to choose from
STILL_AFTER_S = 120  # unmoving so long is "still"; pauses of a walk are shorter
STILL_RADIUS_M = 20  # GPS noise between houses stays within it

# --- links ----------------------------------------------------------------------------------
PING_S = 30  # MQTT ping when nothing else was sent; under the carriers' NAT time-outs
KEEPALIVE_S = 2 * PING_S  # what the broker is told; the client pings at half of it
WIFI_REST_S = 3  # no link at all: between two rounds through the known Wi-Fi networks
WIFI_SCAN_S = 120  # on LTE: look for a known Wi-Fi so often, while moving only
LTE_DRX_S = 2.56  # paging cycle of a connected but idle modem: how late a command may come
LTE_TAIL_S = 10  # the network keeps the radio up so long after the last byte
HEALTH_S = {"normal": 900, "low": 1800, "reserve": 3600}  # health, by battery step
# The modem between reports, by battery step, where no Wi-Fi is: "drx" stays online and hears a
# command within a paging cycle; "psm" and "off" go online only while something waits to be sent
# (health, an SOS) and LISTEN_S longer, for what waits at the broker. In PSM the network keeps the
# registration; where it grants none, the modem is switched off instead.
MODEM = {"normal": "drx", "low": "drx", "reserve": "psm", "empty": "off"}
LISTEN_S = 30
PSM_ACTIVE_S = 10  # T3324: reachable so long after the last byte, then asleep
PSM_TAU_H = 2  # T3412: the network hears of it so often, and at each health report

# --- the unit itself ------------------------------------------------------------------------
TICK_STILL_S = 60  # longest sleep of the core while on duty
CPU_AWAKE_MS = 120  # awake for one report: fix, policy, JSON, one packet, PUBACK

# Light sleep stops both cores and every UART, and drops a Wi-Fi association; RAM, PSRAM and the
# clock go on. So what each part does decides, and one word that is not in its row's text (none is
# part of another) keeps the CPU awake. What wakes: the button (at its level, so a finger that is
# down already wakes at once), the accelerometer's interrupt, the modem's ring, the time.
SLEEPS_WITH = {
    "sos": "closed",  # raised, answered or a test: never
    "button": "still",  # not down, nothing being felt or seen, for BUTTON_STILL_MS
    "charger": "off",  # on the cradle there is power enough, and perhaps a console
    "receiver": "off",  # its sentences would be lost
    "wifi": "off",  # its radio sleeps by itself between beacons, but only while the CPU runs
    "lte": "off up",  # not while it is switched on, dials or hangs up
    "lines": "quiet",  # not while a packet waits for its answer, or a link for its session
    "store": "written",  # a power cut in sleep would take what is in RAM only
    "fall": "no",  # the seconds after a fall decide whether it was one
}
NAP_SHORTEST_MS = 500  # less is not worth the way there
# Under a third of KEEPALIVE_S, and under the watchdog's 30 s, should that count on in sleep; and
# how late a command is at worst when the modem does not ring for it.
NAP_LONGEST_MS = 20_000
BUTTON_STILL_MS = 1000  # longer than the gap between the presses of three


def nap_ms(doing, until_ms):
    """How long the CPU may sleep now: 0, or up to `until_ms`, when something is due.

    doing: {part: word} for every part of SLEEPS_WITH; a part this board lacks says what allows it.
    """
    for part, words in SLEEPS_WITH.items():
        if doing[part] not in words:
            return 0
    return min(until_ms, NAP_LONGEST_MS) if until_ms >= NAP_SHORTEST_MS else 0


# --- battery --------------------------------------------------------------------------------
# Below RESERVE_PERCENT tracking stops: what is left is one hour of SOS (SOS_RESERVE_S).
LOW_PERCENT = 30
RESERVE_PERCENT = 15
EMPTY_PERCENT = 3
SOS_RESERVE_S = 3600
HYSTERESIS_PERCENT = 5  # a step is left again this far above it

CELL = "Panasonic NCR18650B"
# Millivolts at the cell -> per cent left. From the 0.2C curve at 25 degC of the maker's sheet,
# read by eye: within 5 per cent of charge. A unit draws 0.02C to 0.1C, so under load it reads a
# little low, on the safe side; cold reads lower still, which is also what is left in the cold.
# The two belong together, place by place (a pair for each point would lie on the heap).
# fmt: off
CURVE_MV = (
    4180, 4080, 3980, 3900, 3820, 3740, 3660, 3590, 3520, 3440, 3370, 3280, 3170, 3080, 2900, 2700,
)
CURVE_PERCENT = (
     100,   92,   83,   75,   66,   57,   48,   39,   30,   21,   15,   10,    5,    3,    1,    0,
)
# fmt: on


def percent(mv):
    """Per cent of charge left at `mv` millivolts; 0 to 100, between the points in a line."""
    if mv >= CURVE_MV[0]:
        return CURVE_PERCENT[0]
    for at in range(1, len(CURVE_MV)):
        low_mv, low = CURVE_MV[at], CURVE_PERCENT[at]
        if mv >= low_mv:
            return low + (CURVE_PERCENT[at - 1] - low) * (mv - low_mv) // (
                CURVE_MV[at - 1] - low_mv
            )
    return 0


STEPS = ("normal", "low", "reserve", "empty")
_FLOORS = (LOW_PERCENT, RESERVE_PERCENT, EMPTY_PERCENT, -1)


def step(left, before="normal"):
    """The battery step at `left` per cent, coming from the step `before`.

    Down at once; up only with HYSTERESIS_PERCENT to spare, so that a load that comes and goes
    does not make the unit change its mind every minute.
    """
    now = 0
    while left < _FLOORS[now]:
        now += 1
    was = STEPS.index(before)
    while now < was and left < _FLOORS[now] + HYSTERESIS_PERCENT:
        now += 1
    return STEPS[now]
