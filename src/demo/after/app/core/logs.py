"""One way to get a logger."""

import logging


def get_logger(name: str) -> logging.Logger:
    """The logger of a module, below the application's own."""
    return logging.getLogger(f"parcels.{name}")
