"""main.py with a ticker beside it."""

import machine  # noqa: F401, I001  (first: on a desk this is the power-on)

import ticker  # noqa: F401
import main  # noqa: F401  (it runs for ever)
