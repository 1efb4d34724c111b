#!/usr/bin/gjs
// Tells of each container that starts on this host. Needs gjs.
const {Gio, GLib} = imports.gi;

const bus = Gio.bus_get_sync(Gio.BusType.SYSTEM, null);
bus.signal_subscribe('org.shorewatch1', 'org.shorewatch1.Manager', 'ContainerStarted', '/org/shorewatch1', null,
    Gio.DBusSignalFlags.NONE, (_bus, _sender, _path, _interface, _member, args) => {
        const [engine, , name] = args.deepUnpack();
        print(`started ${engine} ${name}`);
    });
// By the time that this is answered, the bus knows of the subscription.
bus.call_sync('org.freedesktop.DBus', '/', 'org.freedesktop.DBus', 'GetId', null, null, Gio.DBusCallFlags.NONE, -1,
    null);
print('watching');
GLib.MainLoop.new(null, false).run();
