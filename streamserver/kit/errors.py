"""Expected failures: named types with a stable code and a sentence a buyer could read."""

from typing import Any, ClassVar


class Failure(Exception):  # noqa: N818 - a failure is an answer, not a programming error
    """Something a person did that cannot be done, told so that they can act on it.

    `code` is stable and part of the wire; `status` is its HTTP status; `sentence` is the default text. `details` are
    extra machine-readable fields, JSON values only.
    """

    code: ClassVar[str] = "failed"
    status: ClassVar[int] = 400
    sentence: ClassVar[str] = "That did not work."

    def __init__(self, message: str | None = None, **details: Any) -> None:
        self.message = message or self.sentence
        self.details = details
        super().__init__(self.message)

    def problem(self) -> dict[str, Any]:
        """Shape on every wire: `{code, message, …details}`."""
        return {"code": self.code, "message": self.message, **self.details}

    @classmethod
    def known(cls) -> "dict[str, type[Failure]]":
        """Return every failure type in the program by its code, for the API description."""
        found: dict[str, type[Failure]] = {cls.code: cls}
        for child in cls.__subclasses__():
            found |= child.known()
        return found


class NotFound(Failure):
    code, status = "not_found", 404
    sentence = "There is nothing here. The link may be old, or it was removed."


class Forbidden(Failure):
    code, status = "forbidden", 403
    sentence = "You are not allowed to do that here."


class SignInNeeded(Failure):
    code, status = "sign_in_needed", 401
    sentence = "Please sign in first."


class Invalid(Failure):
    """`errors` lists `{field, message}`, one for each thing to mend."""

    code, status = "invalid", 422
    sentence = "Something in the request is not right."


class BadFormat(Failure):
    code, status = "bad_format", 400
    sentence = "The request could not be read. It must be valid JSON in UTF-8."


class TooLarge(Failure):
    code, status = "too_large", 413
    sentence = "That is larger than this server accepts."


class TooManyRequests(Failure):
    """`retry_after` is in seconds."""

    code, status = "too_many_requests", 429
    sentence = "That was too fast. Please wait a moment and try again."


class OneMoment(Failure):
    code, status = "one_moment", 503
    sentence = "One moment, please: the shop is catching up. Try again in a few seconds."


class Conflict(Failure):
    code, status = "conflict", 409
    sentence = "Somebody else changed this at the same moment. Look again, then retry."
