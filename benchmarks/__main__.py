"""`make bench`: every figure beside a ceiling of the same run, or what is to be reached. About twelve minutes."""

from benchmarks import crowd, custody, interview, resealing, sealing, submissions


def main() -> None:
    """Runs all of them, one after the other."""
    sealing.run()
    print(
        "\nA whole interview beside aiogram's in-memory FSM (same updates, same Bot API calls, one process each)"
    )
    interview.run()
    print("\nSubmissions: sealing and its transaction")
    submissions.run()
    print("\nThe custody log at a million leaves, and what it costs intake")
    custody.run()
    print("\nThe whole store sealed anew to a new epoch, by a command that is killed five times")
    resealing.run()
    print("\nA crowd: a thousand people at once, each thinking ten seconds between answers")
    crowd.run()


if __name__ == "__main__":
    main()
