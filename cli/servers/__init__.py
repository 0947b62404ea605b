"""What automations need to run: servers and workers, which are found, started, set up and examined here.

The codec server's application is no part of the door: it loads aiohttp, half the start-up time of a command.
"""

from cli.servers import backend
from cli.servers.backend import Backend
from cli.servers.codec_serving import codec_server
from cli.servers.examining import doctor
from cli.servers.serving import server, worker
from cli.servers.setting_up import setup

__all__ = ["backend", "Backend", "codec_server", "doctor", "server", "worker", "setup"]
