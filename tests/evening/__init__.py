"""The world of `make demo` and of tests/flow: a county, a checkpoint, a camera, two people walking.

route.py    where they walk                link.py    the county link, which can be cut
broker.py   the county's broker            feed.py    NMEA into a unit at 9600 baud's pace
county.py   what the county sees           parts.py   sensors and camera of the checkpoint
world.py    starts and ends all of it      script.py  the 60 s of ONCE=1, and what must hold
"""
