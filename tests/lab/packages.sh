# shellcheck shell=bash
# What the project needs of Debian 12 or later, and how it is installed. Sourced by quickstart and tests/run.

# shellcheck disable=SC2034  # used by those who source this
build_packages=(g++ meson ninja-build pkg-config libsdbus-c++-dev libsdbus-c++-bin libcurl4-openssl-dev rapidjson-dev
    libtomlplusplus-dev libcli11-dev libfmt-dev libsystemd-dev libdbus-1-dev libgrpc++-dev libprotobuf-dev libssl-dev
    protobuf-compiler libncurses-dev)
# shellcheck disable=SC2034
bus_packages=(dbus-daemon)
# shellcheck disable=SC2034
test_packages=(ca-certificates ccache catch2 curl clang-19 libclang-rt-19-dev clang-format-19 clang-tidy-19 systemd polkitd gjs jq libglib2.0-bin mandoc procps
    python3-pytest python3-dbus python3-gi python3-grpcio podman conmon catatonit docker-registry apache2-utils zsh fish tmux
    dbus-broker gcovr mmdebstrap systemd-container valgrind)

engine_packages=(busybox-static)
# A containerd from elsewhere, as Docker's own packages bring it, does as well.
command -v containerd > /dev/null || engine_packages+=(containerd)
# A Docker from elsewhere does as well, and would be in the way of Debian's.
command -v dockerd > /dev/null || engine_packages+=(docker.io)
command -v containerd > /dev/null || test_packages+=(containerd)
command -v runc > /dev/null || test_packages+=(runc)
# The docker command: in Debian 12 a part of docker.io.
command -v docker > /dev/null || engine_packages+=(docker-cli)
not_everywhere=(docker-cli)

# Prints those of the given packages that are not installed.
missing_packages() {
    local package
    for package in "$@"; do
        if ! dpkg-query -W -f '${db:Status-Status}\n' "$package" 2> /dev/null | grep -qx installed; then
            echo "$package"
        fi
    done
}

# Installs what is missing of the given packages. Nothing that they bring is started, services that they bring are not
# left to start with the machine either, and no other package is removed for them.
install_packages() {
    local policy=/usr/sbin/policy-rc.d own_policy=false status=0 units_before
    local -a missing
    # To break off an installation leaves a mess: it is waited for.
    trap '' INT TERM HUP
    units_before=$(enabled_units)
    if [ ! -e "$policy" ]; then
        own_policy=true
        printf '#!/bin/sh\nexit 101\n' > "$policy"
        chmod +x "$policy"
    fi
    mapfile -t missing < <(missing_packages "$@")
    apt_get_install "${missing[@]}" || status=$?
    if $own_policy; then rm -f "$policy"; fi
    if [ -d /run/systemd/system ]; then
        enabled_units | comm -13 <(echo "$units_before") - | xargs -r systemctl --quiet disable
    fi
    if [ "$status" -ne 0 ]; then
        echo "apt-get could not install ${missing[*]}: is there a network, and are this machine's package sources" \
            "those of Debian 12 or later?"
    fi
    return "$status"
}

apt_get_install() {
    local -a wanted=("$@") options=(--yes -o DPkg::Lock::Timeout=300)
    local package
    export DEBIAN_FRONTEND=noninteractive
    apt-get "${options[@]}" update
    for package in "${not_everywhere[@]}"; do
        if ! apt-cache show "$package" > /dev/null 2>&1; then
            mapfile -t wanted < <(printf '%s\n' "${wanted[@]}" | grep -vx "$package")
        fi
    done
    apt-get "${options[@]}" --no-install-recommends --no-remove install "${wanted[@]}"
}

# The units that start with the machine, sorted; none where systemd does not run.
enabled_units() {
    [ -d /run/systemd/system ] || return 0
    systemctl list-unit-files --state=enabled --no-legend --plain | awk '{ print $1 }' | sort
}
