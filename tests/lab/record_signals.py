"""Prints every signal of org.shorewatch1 on the bus whose address is given, a JSON object a line, in order.

A program of its own so that a test can also stop it: a subscriber that never reads.
"""

import json
import sys
import time
from typing import Any

import dbus
import dbus.bus
import dbus.lowlevel
from dbus.mainloop.glib import DBusGMainLoop
from gi.repository import GLib

NAME = "org.shorewatch1"


def plain(value: Any) -> Any:
    """Of D-Bus types, the ones that JSON has."""
    if isinstance(value, dbus.Boolean):
        return bool(value)
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return value


def on_message(_: dbus.bus.BusConnection, message: dbus.lowlevel.Message) -> int:
    if isinstance(message, dbus.lowlevel.SignalMessage) and message.get_member() != "NameAcquired":
        print(json.dumps({
            "at": time.time_ns() // 1000, "sender": message.get_sender(), "path": message.get_path(),
            "interface": message.get_interface(), "member": message.get_member(),
            "args": plain(message.get_args_list())}), flush=True)
    return dbus.lowlevel.HANDLER_RESULT_NOT_YET_HANDLED


def main() -> None:
    DBusGMainLoop(set_as_default=True)
    bus = dbus.bus.BusConnection(sys.argv[1])
    bus.add_message_filter(on_message)
    bus.add_match_string(f"type='signal',sender='{NAME}'")
    bus.add_match_string(f"type='signal',sender='org.freedesktop.DBus',member='NameOwnerChanged',arg0='{NAME}'")
    print("listening", flush=True)
    GLib.MainLoop().run()


if __name__ == "__main__":
    main()
