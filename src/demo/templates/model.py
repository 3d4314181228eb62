

class Entity(Base):
    __tablename__ = "__entities__"

    id: Mapped[int] = mapped_column(primary_key=True)
    __field__: Mapped[__kind__]
    note: Mapped[str | None]
    created_at: Mapped[datetime]
