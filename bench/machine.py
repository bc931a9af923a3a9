"""The machine a measurement was made on, and how Postgres was set up for it."""

import platform
from datetime import UTC, datetime

import psutil

# A quarter of 24 GB for Postgres's own cache; the rest as it is embedded.
SETTINGS = {
    "shared_buffers": "5GB",
    "effective_cache_size": "12GB",
    "work_mem": "64MB",
    "max_wal_size": "8GB",
    "track_commit_timestamp": "on",
    "wal_compression": "off",
}


def described() -> dict[str, object]:
    """What figures have to be read with."""
    return {
        "cores": psutil.cpu_count(),
        "memory_gb": round(psutil.virtual_memory().total / 2**30),
        "system": platform.platform(),
        "python": platform.python_version(),
        "postgres": SETTINGS,
        "at": datetime.now(UTC).isoformat(),
    }
