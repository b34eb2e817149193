"""A loopback Telegram: an MTProto server that an unmodified Telethon client logs in to.

For the demo and the tests; production code never imports it. It imports nothing of the project
either, only Telethon's TL layer.
"""

from telegram_sandbox.faults import Drop, Fault, Faults, Upset
from telegram_sandbox.handles import ChatHandle
from telegram_sandbox.process import SandboxProcess, run_in_process
from telegram_sandbox.records import Message, Topic, User
from telegram_sandbox.scenario import PLACEHOLDER_COUNT, Scenario
from telegram_sandbox.schedule import FaultSchedule
from telegram_sandbox.server import Sandbox
from telegram_sandbox.threads import ThreadedSandbox, run_in_thread
from telegram_sandbox.update_faults import Mishap, UpdateFault
from telegram_sandbox.world import ICON_COLORS

__all__ = [
    "ICON_COLORS",
    "PLACEHOLDER_COUNT",
    "ChatHandle",
    "Drop",
    "Fault",
    "FaultSchedule",
    "Faults",
    "Message",
    "Mishap",
    "Sandbox",
    "SandboxProcess",
    "Scenario",
    "ThreadedSandbox",
    "Topic",
    "UpdateFault",
    "Upset",
    "User",
    "run_in_process",
    "run_in_thread",
]
