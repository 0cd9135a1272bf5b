"""The real child where the kernel grants no limits."""

import resource

from admin.previews import child


def _refuse(*_: object) -> None:
    raise PermissionError(1, "refused")


def main() -> None:
    resource.setrlimit = _refuse
    child.main()
