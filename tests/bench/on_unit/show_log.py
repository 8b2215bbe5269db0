"""What a technician does after Ctrl-C: shows the log that the unit left on its flash."""

import machine  # noqa: F401  (the power-on)

from drivers import ring

ring.show()
