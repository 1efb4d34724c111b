#!/usr/bin/python3
"""Tells each client of a unix socket which container it is in. Needs python3-dbus.   whose.py SOCKET"""
import errno
import os
import socket
import struct
import sys

import dbus

SO_PEERPIDFD = 77  # Linux 6.5; Python has no name for it


def pidfd_of_peer(connection):
    try:
        return connection.getsockopt(socket.SOL_SOCKET, SO_PEERPIDFD)
    except OSError as error:
        if error.errno != errno.ENOPROTOOPT:
            raise  # the peer has ended
    # Second best: the number may be another process's by now.
    pid, _, _ = struct.unpack("iII", connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
    return os.pidfd_open(pid)


def container_of(pidfd):
    try:
        return bus.call_blocking("org.shorewatch1", "/org/shorewatch1", "org.shorewatch1.Manager",
                                 "GetContainerByPIDFD", "h", [dbus.types.UnixFd(pidfd)])
    finally:
        os.close(pidfd)


bus = dbus.SystemBus()
with socket.socket(socket.AF_UNIX) as listener:
    listener.bind(sys.argv[1])
    listener.listen()
    print("listening", flush=True)
    while True:
        connection, _ = listener.accept()
        with connection:
            try:
                answer = container_of(pidfd_of_peer(connection))
            except (OSError, dbus.DBusException) as error:
                answer = str(error)
            print(answer, flush=True)
