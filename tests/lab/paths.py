"""Where things are: in the source tree, and in the build that is tested."""

import os
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("SHOREWATCH_BUILD_DIR", SOURCE / "build"))

DAEMON = BUILD / "daemon" / "shorewatchd"
CTL = BUILD / "dbus" / "ctl" / "shorewatchctl"
POLKIT_ACTIONS = SOURCE / "systemd" / "polkit" / "org.shorewatch1.policy"
POLICY = SOURCE / "systemd" / "dbus" / "org.shorewatch1.conf"
