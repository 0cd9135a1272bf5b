"""The real child with a filter that says it was loaded and was not."""

import pyseccomp

from admin.previews import child


class _Hollow(pyseccomp.SyscallFilter):
    def load(self) -> None:
        pass


def main() -> None:
    pyseccomp.SyscallFilter = _Hollow
    child.main()
