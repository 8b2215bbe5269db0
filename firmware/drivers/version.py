"""What this firmware is. BUILD_S: no clock and no receiver is believed below it (Unix seconds)."""

VERSION = "0.1.0"
BUILD_S = 1793491200  # 2026-11-01
