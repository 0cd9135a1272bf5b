"""What every form begins with: adult and consent, and how the person knows; the answers lead to a form."""

from flows.form import Condition, Kind, Option, Step, chosen, given

OPENING = (
    Step(
        "consent",
        Kind.TAP,
        options=(
            Option("adult"),
            Option("minor", form="child"),
            Option("later", outcome="not_now"),
        ),
        skip="",
        hint=2,
        whole=True,
        told=False,  # recorded apart, with the version of the text
        plain=True,
    ),
    Step(
        "know",
        Kind.TAP,
        options=(
            Option("family", form="family"),
            Option("self", form="self"),
            Option("saw", form="witness"),
            Option("heard", form="witness"),
            Option("work", form="insider"),
            Option("with_me", form="with_me"),
            Option("sent_before", form="later"),
        ),
        skip="",
        hint=1,
        resume=True,
    ),
)
NEEDS = (chosen("consent", "adult"), given("know"))
REVIEW = Step("review", Kind.REVIEW, skip="", told=False)


def urgent(when: Condition, ask: str) -> tuple[Step, Step]:
    """Ask for a few words, which can be sent at once; then say that this is no emergency service, and who is."""
    return (
        Step("urgent", Kind.WORDS, ask=ask, when=(when,), hint=1),
        Step(
            "urgent_next",
            Kind.TAP,
            options=(Option("more"),),
            skip="",
            when=(when, given("urgent")),
            hint=1,
            whole=True,
            told=False,
        ),
    )
