"""The optional questions of each form, under headings: all that FORMS.md lists beyond the core, in order.

Form(…, headings=headings.FAMILY)
"""

from flows.form import Heading, Step, chosen, not_chosen
from flows.forms import headings_child as child
from flows.forms import headings_journey as journey
from flows.forms import headings_papers as papers
from flows.forms.headings_child import AWAY, GONE, only_if, worded


def _worded(words: str, *steps: Step) -> tuple[Step, ...]:
    return tuple(worded(step, words) for step in steps)


# A list tells of its children itself.
_ONE_CHILD = not_chosen("name", "list")
_HEALTH = (child.MEDICAL, child.MEDICINE, child.DISABILITY)
_HEALTH_CHILDREN = (
    worded(child.MEDICAL, "children"),
    child.MEDICINE,
    worded(child.DISABILITY, "children"),
)
_TRANSPORT = (journey.TRANSPORT, journey.PLATE, journey.ROUTE)
_REPORTED = (papers.REPORTED, papers.REPORT_NUMBER, papers.STATEMENT, papers.STATEMENT_BY)

FAMILY = (
    Heading("another", (child.ANOTHER_CHILD,), when=(_ONE_CHILD,)),
    Heading(
        "child",
        (
            child.CALLED,
            child.NEW_NAME,
            only_if(child.LOOKS, AWAY),
            child.LANGUAGES,
            *_HEALTH,
            only_if(child.PAGES, AWAY),
            child.PARENTS,
        ),
        when=(_ONE_CHILD,),
    ),
    Heading(
        "journey",
        (
            journey.PRETEXT,
            journey.TAKERS,
            *(only_if(step, GONE) for step in (*_TRANSPORT, journey.GROUP, journey.TIMES)),
            journey.RETURN_DATE,
            only_if(journey.RETURN_ANSWER, GONE),
            journey.legs(GONE),
            only_if(journey.STAY, AWAY, GONE),
            only_if(journey.LAST_CONTACT, AWAY, GONE),
            journey.CONTACT_HOW,
            journey.CONTACT_PLACE,
        ),
    ),
    Heading(
        "papers",
        (
            papers.SIGNED,
            papers.RESIDENCE,
            only_if(papers.NOW, AWAY, GONE),
            only_if(papers.NEW_PAPERS, GONE),
            *_REPORTED,
        ),
    ),
    Heading(
        "family",
        (
            child.SITUATION,
            child.INSTITUTION,
            only_if(child.SIBLINGS, GONE),
            only_if(child.FETCH, AWAY, GONE),
            only_if(child.WISH, AWAY, GONE),
            only_if(child.CHILD_WISH, AWAY, GONE),
        ),
    ),
    Heading("files", (papers.FILES, *papers.LAST)),
)

WITNESS = (
    Heading(
        "children",
        (
            child.AGES,
            child.SEXES,
            child.NAMES,
            *_worded("children", child.LOOKS),
            *_HEALTH_CHILDREN,
            *_worded("children", child.SITUATION),
            child.INSTITUTION,
            *_worded("children", child.SIBLINGS),
        ),
    ),
    Heading(
        "journey",
        (
            journey.TIMES,
            journey.PRETEXT,
            *_TRANSPORT,
            *_worded("children", journey.GROUP, journey.RETURN_DATE),
            journey.RETURN_ANSWER,
            journey.LEGS_CHILDREN,
            journey.STAY,
            *_worded("children", papers.NOW),
        ),
    ),
    Heading("people", (*_worded("children", journey.TAKERS), journey.SIGNS, journey.OVERHEARD)),
    Heading("files", (papers.FILES, *papers.LAST)),
)

INSIDER = (
    Heading(
        "children",
        (
            child.AGES,
            child.SEXES,
            child.NAMES,
            *_worded("children", child.NEW_NAME, child.LOOKS, child.LANGUAGES),
            *_HEALTH_CHILDREN,
            *_worded("children", child.PAGES, child.SITUATION),
            child.INSTITUTION,
            *_worded("children", child.SIBLINGS),
        ),
    ),
    Heading(
        "journey",
        (
            journey.ORIGIN,
            journey.TIMES,
            journey.PRETEXT,
            *_worded("work", journey.TAKERS),
            *_TRANSPORT,
            *_worded("children", journey.GROUP, journey.RETURN_DATE),
            journey.RETURN_ANSWER,
            journey.LEGS_CHILDREN,
            journey.STAY,
        ),
    ),
    Heading(
        "papers",
        (papers.SIGNED, *_worded("children", papers.NOW), papers.NEW_PAPERS, *_REPORTED),
    ),
    Heading("files", (only_if(papers.SAFE_FILES, chosen("traceable", "no")), *papers.LAST)),
)

# The person is grown up now: nobody is looked for or fetched, and no photo is asked.
SELF = (
    Heading(
        "me",
        (
            *_worded("self", child.NEW_NAME, child.LANGUAGES, child.MEDICAL),
            child.MEDICINE,
            *_worded("self", child.DISABILITY, child.PARENTS),
        ),
    ),
    Heading(
        "journey",
        (
            journey.PRETEXT,
            *_worded("self", journey.TAKERS),
            *_TRANSPORT,
            *_worded("self", journey.GROUP),
            journey.TIMES,
            *_worded("self", journey.RETURN_DATE),
            journey.RETURN_ANSWER,
            journey.LEGS_SELF,
            only_if(journey.STAY, chosen("where", "danger", "there")),
        ),
    ),
    Heading("papers", (papers.SIGNED, papers.NOW_SELF, papers.NEW_PAPERS, *_REPORTED)),
    Heading(
        "family",
        (
            *_worded("self", child.SITUATION),
            child.INSTITUTION,
            *_worded("self", child.SIBLINGS),
            child.OWN_WISH,
        ),
    ),
    Heading("files", (papers.FILES, *papers.LAST)),
)

# The child is there, so nobody asks how the child looks, where it stays or when it was last heard of.
WITH_ME = (
    Heading("another", (child.ANOTHER_CHILD,)),
    Heading("child", (child.CALLED, child.NEW_NAME, child.LANGUAGES, *_HEALTH, child.PARENTS)),
    Heading(
        "journey",
        (
            journey.PRETEXT,
            journey.TAKERS,
            *_TRANSPORT,
            journey.GROUP,
            journey.TIMES,
            journey.RETURN_DATE,
            journey.RETURN_ANSWER,
            journey.legs(),
        ),
    ),
    Heading("papers", (papers.SIGNED, papers.RESIDENCE, papers.NOW, papers.NEW_PAPERS, *_REPORTED)),
    Heading("family", (child.SITUATION, child.INSTITUTION, child.SIBLINGS, child.FETCH, child.CHILD_WISH)),
    Heading("files", (papers.SAFE_FILES, *papers.LAST)),
)
