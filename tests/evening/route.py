"""Where the two walk: an invented village in a real county's plain (WGS-84).

Two lanes, the pond, the village committee, and the road that leads past the checkpoint.
"""

from __future__ import annotations

CHECKPOINT = (364561200, 1159853400)  # 1e-7 degree

# (lat, lon) in 1e-7 degree, in walking order
VILLAGE_ROUND = [
    (364552000, 1159840000),  # 村委会 village committee
    (364555100, 1159840400),
    (364555600, 1159845200),  # 水塘 pond
    (364552900, 1159846800),
    (364550200, 1159843300),
    (364552000, 1159840000),
]
PAST_THE_CHECKPOINT = [
    (364557000, 1159846000),
    (364559400, 1159850100),
    (364561000, 1159853000),  # 卡点 checkpoint
    (364563600, 1159857900),
    (364561000, 1159853000),
    (364557000, 1159846000),
]
