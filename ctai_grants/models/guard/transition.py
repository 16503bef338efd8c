"""What lets the documents' own methods write what nobody types in."""

# Under this key of the context; no RPC payload, import or server action can put an object there.
KEY = "grant_transition"


class Transition:
    """Lets one write, creation or deletion through the guards, once.

    It opens to the records and fields that it was made for, and is spent by that: what is done
    in turn (another add-on's override, an automation rule, the tracking) inherits a context
    without it, or one that opens nothing any more.
    """

    def __init__(self, model, names, ids=None, count=0):
        self.model = model
        self.names = frozenset(names)
        # Changed in place: every copy of the context holds this one, and sees it spent.
        self.ids = set(ids or ())
        self.count = count

    def spend(self, model, ids=(), count=0):
        """Take what it allows for these records, or for so many new ones: names of fields."""
        if model != self.model or count > self.count or not self.ids.issuperset(ids):
            return frozenset()
        # Made for some records: a write of none is allowed nothing.
        if not count and not ids:
            return frozenset()
        self.ids.difference_update(ids)
        self.count -= count
        return self.names


def writing(records, names):
    """``records``, allowed to write the fields ``names`` once."""
    transition = Transition(records._name, names, ids=records.ids)
    return records.with_context(**{KEY: transition})


def creating(model, vals_list):
    """``model``, allowed to create records of ``vals_list`` once."""
    transition = Transition(model._name, set().union(*vals_list), count=len(vals_list))
    return model.with_context(**{KEY: transition})


def is_open(model):
    """Whether ``model`` comes with a transition that lets it create records."""
    transition = model.env.context.get(KEY)
    is_ours = type(transition) is Transition and transition.model == model._name
    return is_ours and transition.count > 0


def spend(records, count=0):
    """Use up the transition that ``records`` come with, if it is theirs.

    :param int count: how many records are created; none: these are written or deleted
    :return: the records without it in their context, and the names of fields that it allows
    """
    transition = records.env.context.get(KEY)
    if transition is None:
        return records, frozenset()
    context = {name: value for name, value in records.env.context.items() if name != KEY}
    ids = () if count else records.ids
    # Of this very class: a key of that name in a payload opens nothing.
    names = transition.spend(records._name, ids, count) if type(transition) is Transition else ()
    # Overridden: a key cannot be taken out otherwise.
    return records.with_context(context), frozenset(names)  # pylint: disable=context-overridden
