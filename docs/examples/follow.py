#!/usr/bin/python3
"""Follows the containers of this host: no gap, no repeat. Needs python3-dbus and python3-gi."""
import dbus
from dbus.mainloop.glib import DBusGMainLoop
from gi.repository import GLib

DBusGMainLoop(set_as_default=True)
bus = dbus.SystemBus()
known = 2**64  # signals up to this sequence are of the past; until the first list, all


def on_signal(engine, project, name, container_id, path, sequence, details, member):
    if sequence > known:
        print(member, engine, project or "-", name, details.get("ExitCode", ""), flush=True)


def list_containers(owner):  # now, and whenever the daemon comes back
    global known
    if owner:
        manager = bus.get_object("org.shorewatch1", "/org/shorewatch1")
        known, containers = manager.ListContainers({}, dbus_interface="org.shorewatch1.Manager")
        for path, container in containers:
            print("alive", container["Name"], container["PID"], flush=True)


for member in ("ContainerStarted", "ContainerExited", "ContainerPaused", "ContainerUnpaused"):
    bus.add_signal_receiver(on_signal, member, "org.shorewatch1.Manager", "org.shorewatch1", member_keyword="member")
bus.watch_name_owner("org.shorewatch1", list_containers)
GLib.MainLoop().run()
