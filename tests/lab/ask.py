"""Calls a method of org.shorewatch1 some times, all at once, and prints the answers as they come. It has no arguments,
or is given those that --arguments= has, as GVariant prints them: a tuple.

A program of its own, which becomes another user, in these groups alone. An answer is a line of JSON: the name and the
text of an error, or [].

With --agent it is polkit's authentication agent for itself: it prints the message that a person would see, and the cookie
to answer with, and takes a line of stdin for the person's having done with it: "done", or "dismiss".
"""

import json
import os
import sys
from pathlib import Path
from typing import Any, Sequence

from gi.repository import Gio, GLib

POLKIT = "org.freedesktop.PolicyKit1"
AGENT_PATH = "/org/shorewatch1/tests/agent"
AGENT = """<node><interface name="org.freedesktop.PolicyKit1.AuthenticationAgent">
    <method name="BeginAuthentication">
        <arg type="s" name="action"/> <arg type="s" name="message"/> <arg type="s" name="icon"/>
        <arg type="a{ss}" name="details"/> <arg type="s" name="cookie"/> <arg type="a(sa{sv})" name="identities"/>
    </method>
    <method name="CancelAuthentication"><arg type="s" name="cookie"/></method>
</interface></node>"""


def say(what: Sequence[str]) -> None:
    print(json.dumps(what), flush=True)


def become(user: int, groups: Sequence[int]) -> None:
    os.setgroups(groups)
    os.setresgid(user, user, user)
    os.setresuid(user, user, user)


def on_agent_call(_: Gio.DBusConnection, __: str, ___: str, ____: str, method: str, arguments: GLib.Variant,
                  invocation: Gio.DBusMethodInvocation) -> None:
    if method == "BeginAuthentication":
        _, message, _, _, cookie, _ = arguments.unpack()
        say([message, cookie])
        if sys.stdin.readline() != "done\n":
            return invocation.return_dbus_error(POLKIT + ".Error.Cancelled", "dismissed")
    return invocation.return_value(None)


def become_agent(bus: Gio.DBusConnection, user: int) -> None:
    bus.register_object(AGENT_PATH, Gio.DBusNodeInfo.new_for_xml(AGENT).interfaces[0], on_agent_call, None, None)
    started = int(Path("/proc/self/stat").read_text().rpartition(")")[2].split()[19])
    process = {"pid": GLib.Variant("u", os.getpid()), "start-time": GLib.Variant("t", started),
               "uid": GLib.Variant("i", user)}
    bus.call_sync(POLKIT, "/org/freedesktop/PolicyKit1/Authority", POLKIT + ".Authority", "RegisterAuthenticationAgent",
                  GLib.Variant("((sa{sv})ss)", (("unix-process", process), "C", AGENT_PATH)), None,
                  Gio.DBusCallFlags.NONE, 10_000, None)


def main(address: str, user: str, groups: str, path: str, method: str, count: str, *flags: str) -> None:
    become(int(user), [int(group) for group in groups.split(",") if group])
    bus = Gio.DBusConnection.new_for_address_sync(
        address, Gio.DBusConnectionFlags.AUTHENTICATION_CLIENT | Gio.DBusConnectionFlags.MESSAGE_BUS_CONNECTION, None,
        None)
    if "--agent" in flags:
        become_agent(bus, int(user))
    loop = GLib.MainLoop()
    left = int(count)

    def on_answer(_: Gio.DBusConnection, result: Gio.AsyncResult, __: Any = None) -> None:
        nonlocal left
        try:
            bus.call_finish(result)
            say([])
        except GLib.Error as error:
            name = Gio.dbus_error_get_remote_error(error)
            say([name, error.message.removeprefix(f"GDBus.Error:{name}: ")])
        left -= 1
        if left == 0:
            loop.quit()

    interactive = "--interactive" in flags or "--agent" in flags
    asked = Gio.DBusCallFlags.ALLOW_INTERACTIVE_AUTHORIZATION if interactive else Gio.DBusCallFlags.NONE
    interface, _, member = method.rpartition(".")
    texts = [flag.removeprefix("--arguments=") for flag in flags if flag.startswith("--arguments=")]
    arguments = GLib.Variant.parse(None, texts[0], None, None) if texts else None
    for _ in range(left):
        bus.call("org.shorewatch1", path, interface, member, arguments, None, asked, 60_000, None, on_answer)
    loop.run()


if __name__ == "__main__":
    main(*sys.argv[1:])
