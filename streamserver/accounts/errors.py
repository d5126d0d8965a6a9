"""What can go wrong between a person and their account."""

from streamserver.kit.errors import Failure


class WrongPassword(Failure):
    """Says the same whether the name or the password was wrong, so that nobody can ask who has an account."""

    code, status = "wrong_password", 401
    sentence = "Name and password do not go together. Check both and try again."


class HandleTaken(Failure):
    code, status = "handle_taken", 409
    sentence = "Somebody already has this name. Please choose another."
