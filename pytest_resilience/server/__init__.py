"""Servers: the loop, connections, the WSGI bridge, and `wire`, which alone misbehaves."""
