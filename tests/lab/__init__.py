"""Real parts on sockets and folders of their own: buses, engines, the daemon, and clients that are not our code."""
