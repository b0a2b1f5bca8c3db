"""The one base of all errors that are told to a user in a sentence."""


class ZhutiError(ValueError):
    """Something given to zhuti is not what it must be; the message says what was found, where, and what is accepted."""
