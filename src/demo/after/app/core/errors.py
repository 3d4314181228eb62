"""Errors that the API turns into responses."""


class NotFound(Exception):
    """Something was asked for that does not exist."""

    def __init__(self, kind: str, key: int) -> None:
        super().__init__(f"{kind} {key} does not exist")
        self.kind = kind
        self.key = key
