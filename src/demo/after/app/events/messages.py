"""Reports from the carriers."""

from pydantic import BaseModel


class DeliveryMade(BaseModel):
    """A parcel arrived."""

    parcel_id: int
    subscriber: str


class DeliveryFailed(BaseModel):
    """A parcel came back."""

    parcel_id: int
    subscriber: str
    failures: int
