"""What is asked and in what order; answers, dates, places. Pure: no input or output, no framework.

interview = flows.begin("uk", resume="лелека берег")
turn = flows.take(interview, flows.Tapped(0, "o.adult"), today=today, places=places)
flows.card(turn.interview, turn.notice)
"""

from flows.body import NotSendableError, body
from flows.cards import Button, Card, Text
from flows.engine import begin, can_send, in_language, once_sent, take, urgency
from flows.errors import FlowError, MalformedInterviewError, UnknownFormError
from flows.inputs import Claimed, Edited, Input, Located, Said, Sent, Tapped, Unusable
from flows.interview import Interview
from flows.lookup import Place, Places
from flows.moves import Turn
from flows.placecodes import place_codes
from flows.screen import card

__all__ = [
    "Button",
    "Card",
    "Claimed",
    "Edited",
    "FlowError",
    "Input",
    "Interview",
    "Located",
    "MalformedInterviewError",
    "NotSendableError",
    "Place",
    "Places",
    "Said",
    "Sent",
    "Tapped",
    "Text",
    "Turn",
    "UnknownFormError",
    "Unusable",
    "begin",
    "body",
    "can_send",
    "card",
    "in_language",
    "once_sent",
    "place_codes",
    "take",
    "urgency",
]
