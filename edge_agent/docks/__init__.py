"""Body-camera docks: device -> ingest -> custody -> upload. `docks.Docks` is the way in."""
