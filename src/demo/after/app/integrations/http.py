"""Helpers for calls to other services."""

from typing import Any

import requests

TIMEOUT = 10.0


def user_agent(version: str) -> str:
    """What this service calls itself."""
    return f"parcels/{version}"


def get_json(url: str, params: dict[str, str], version: str = "2") -> Any:
    """Fetch a JSON document, with the service's own headers and timeout."""
    response = requests.get(url, params=params, headers={"User-Agent": user_agent(version)}, timeout=TIMEOUT)
    response.raise_for_status()
    return response.json()
