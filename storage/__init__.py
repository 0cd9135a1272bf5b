"""What is kept: tables, roles, blobs, drafts, reports, the custody log. Sealed before it comes here.

Plain SQL through asyncpg for intake. Connections, clock and secrets are built at a process's edge and
passed in.
"""
