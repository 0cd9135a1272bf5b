"""The schema's history. `storage.setup` runs it forward; alembic's own CLI is used only to write a new one."""
