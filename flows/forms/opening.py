"""What every form begins with: adult and consent, and how the person knows; the answers lead to a form."""

from flows.form import Kind, Option, Step

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
