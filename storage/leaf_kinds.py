"""Every kind of act that a custody leaf may tell (`storage.custody.leaf`). A kind is never used for another meaning."""

KINDS = frozenset(
    {
        # what reporters do
        "receipt", "addition", "withdrawn",
        # the desk
        "opened", "downloaded", "previewed", "claimed", "released", "taken over", "status", "let in", "reply",
        # the door
        "signed in", "session ended", "second factor added", "second factor removed", "recovery code used",
        # something was not as it should be, and was not accepted; the fact `what` says which check refused
        "refused",
        # keys and members
        "ceremony", "manifest", "member added", "member left", "member reset", "role changed", "compartment given",
        "epoch", "resealed",
        # the end of evidence
        "retention", "hold set", "hold lifted", "agreed to shred", "took back agreement", "shredded",
        # the store as a whole
        "backup", "restored", "shredded again",
    }
)  # fmt: skip
