"""A private PostgreSQL, Kafka and Redis for one machine, from Python packages and a locked list of jars.

They are ordinary servers with their data in a state folder. They outlive the process that started them, and the next
one adopts them; `stop` ends them.
"""

from hub.embedded.report import Report, silent, terminal
from hub.embedded.stack import Addresses, ServerStatus, environment, programs, start, status, stop

__all__ = [
    "Addresses",
    "Report",
    "ServerStatus",
    "environment",
    "programs",
    "silent",
    "start",
    "status",
    "stop",
    "terminal",
]
