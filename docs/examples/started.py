#!/usr/bin/python3
"""Tells of each container that starts on this host. Needs python3-gi."""
from gi.repository import Gio, GLib


def on_started(bus, sender, path, interface, member, arguments):
    engine, project, name, container_id, container, sequence, details = arguments.unpack()
    print("started", engine, name, flush=True)


bus = Gio.bus_get_sync(Gio.BusType.SYSTEM)
bus.signal_subscribe("org.shorewatch1", "org.shorewatch1.Manager", "ContainerStarted", "/org/shorewatch1", None,
                     Gio.DBusSignalFlags.NONE, on_started)
# By the time that this is answered, the bus knows of the subscription.
bus.call_sync("org.freedesktop.DBus", "/", "org.freedesktop.DBus", "GetId", None, None, Gio.DBusCallFlags.NONE, -1)
print("watching", flush=True)
GLib.MainLoop().run()
