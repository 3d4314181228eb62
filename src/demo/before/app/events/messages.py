from pydantic import BaseModel


class DeliveryMade(BaseModel):
    parcel_id: int
    subscriber: str


class DeliveryFailed(BaseModel):
    parcel_id: int
    subscriber: str
    failures: int
