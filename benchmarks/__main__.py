"""`make bench`: every figure beside a ceiling measured in the same run. Bounded: about three minutes on two cores."""

from benchmarks import interview, sealing, submissions


def main() -> None:
    """Runs all of them, one after the other."""
    sealing.run()
    print(
        "\nA whole interview beside aiogram's in-memory FSM (same updates, same Bot API calls, one process each)"
    )
    interview.run()
    print("\nSubmissions: sealing and its transaction")
    submissions.run()


if __name__ == "__main__":
    main()
