"""Running automations: they are started, followed, told what to do, changed, and decided for here."""

from cli.running.deciding import approve, reject, resolve
from cli.running.edit_from_file import edit
from cli.running.following import watch
from cli.running.sending import execute, pause, resume, retry, stop, trigger
from cli.running.starting import run, start

__all__ = ["approve", "reject", "resolve", "edit", "watch", "execute", "pause", "resume", "retry", "stop"]
__all__ += ["trigger", "run", "start"]
