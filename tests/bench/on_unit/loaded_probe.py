"""main.py with a shell that talks all the time, and a ticker beside it."""

import machine  # noqa: F401, I001  (first: on a desk this is the power-on)

import talkative  # noqa: F401
import ticker  # noqa: F401
import main  # noqa: F401  (it runs for ever)
