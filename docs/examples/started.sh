#!/bin/sh
# Tells of each container that starts on this host. Needs busctl, of systemd, and jq; a monitor of the system bus is root.
busctl monitor --json=short \
    --match "type='signal',sender='org.shorewatch1',interface='org.shorewatch1.Manager',member='ContainerStarted'" |
    jq --unbuffered -r 'select(.member == "ContainerStarted") | "started \(.payload.data[0]) \(.payload.data[2])"'
