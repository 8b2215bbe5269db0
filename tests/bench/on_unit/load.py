"""main.py with a shell that talks all the time."""

import machine  # noqa: F401, I001  (first: on a desk this is the power-on)

import talkative  # noqa: F401
import main  # noqa: F401  (it runs for ever)
